// The dialog that makes the code for somebody's own page: which panels, which controls, how large; as a tag, a frame or
// Markdown, with the figure itself beside it.

import { frameAddress, linkOf } from "../export/link.js";
import { carryOut, copy, make, menu, openDialog } from "../export/parts.js";
import { kindOf, panelsOf } from "../export/picture.js";
import { marked, say, speak } from "../export/words.js";

/** @import { MoePlayground } from "../../index.d.ts" */

/** The element under its plain name, which stays. A build would put a hash into it, were it written in one piece. */
const ELEMENT = new URL(["../element", "js"].join("."), import.meta.url).href;

/** Sets of controls that suit a figure. */
const CONTROLS = [
  ["none", marked("none, to look only")],
  ["step", marked("steps")],
  ["capacity policy", marked("capacity")],
  ["capacity policy step", marked("capacity and steps")],
  ["prompt run", marked("prompt")],
  ["prompt run step capacity policy save", marked("all of these, and saving")],
];

const SIZES = ["600 500", "760 500", "480 640", "320 720"].map((size) => [size, size.replace(" ", " × ")]);

const KINDS = [
  ["tag", marked("tag (HTML)")],
  ["frame", marked("frame (HTML)")],
  ["markdown", marked("link (Markdown)")],
];

/** @param {MoePlayground} figure */
export async function openEmbed(figure) {
  await speak(figure);
  const { view: own, against, ...state } = figure.getState() ?? {};
  const panels = panelsOf(figure);
  const named = [...panels].map(([name, panel]) => [name, kindOf(panel)]);
  const both = panels.has("strip") && panels.has("lanes") ? [["strip lanes", say("Tokens and capacity lanes")]] : [];
  const choices = [...named, ...both];
  // What a figure shows already.
  if (own && !choices.some(([name]) => name === own)) choices.push([own, named.map(([, kind]) => kind).join(", ")]);
  const view = menu(say("Panels"), choices, show);
  if (own) view.select.value = String(own);
  else if (panels.has("lanes")) view.select.value = "lanes";
  const controls = menu(say("Controls"), translated(CONTROLS), show);
  controls.select.value = "capacity policy";
  const [size, kind] = [menu(say("Size"), SIZES, show), menu(say("Code"), translated(KINDS), show)];
  const code = make("textarea", { readOnly: true, rows: 6, spellcheck: false, "aria-label": say("Code") });
  const preview = make("iframe", { className: "embedded", title: say("Preview") });

  // What the run is compared with is another run, and of the panels to choose only that of the loss shows it.
  /** @returns {Record<string, string | number>} */
  const compared = () => (against && view.select.value.split(" ").includes("loss") ? { against } : {});
  const attributes = () => ({
    view: view.select.value,
    controls: controls.select.value,
    ...state,
    ...compared(),
  });
  const written = {
    tag: () => {
      const script = `<script type="module" src="${ELEMENT}"></script>`;
      const inside = Object.entries(attributes()).map(([name, value]) => ` ${name}="${escaped(value)}"`);
      return `${script}\n<moe-playground${inside.join("")}>\n  <p>This figure needs JavaScript.</p>\n</moe-playground>`;
    },
    frame: () => {
      const [width, height] = size.select.value.split(" ");
      const style = "border: 0; max-width: 100%";
      const address = escaped(frameAddress(attributes()));
      return `<iframe src="${address}" width="${width}" height="${height}" style="${style}" loading="lazy" title="MoE Playground"></iframe>`;
    },
    markdown: () => {
      const title = figure.getTrace()?.header.request?.prompt ?? "";
      return `[MoE Playground: “${title.replaceAll(/[\\[\]\n`*_<>]/g, " ")}”](${linkOf(own ? { ...state, ...compared(), view: view.select.value } : figure.getState())})`;
    },
  };

  const button = make(
    "button",
    { type: "button", className: "primary", onclick: () => carryOut(tell, () => copy({ "text/plain": code.value })) },
    say("Copy code"),
  );
  const options = make(
    "div",
    { className: "options" },
    ...[view, controls, size, kind].map(({ field }) => field),
    code,
    make("div", { className: "buttons" }, button),
  );
  const { tell } = await openDialog(
    figure,
    say("Embed"),
    make("div", { className: "columns-of-two" }, options, preview),
  );
  show();

  function show() {
    const [width, height] = size.select.value.split(" ");
    code.value = written[kind.select.value]();
    // Nobody waits for a second engine: the preview shows the recorded run.
    const address = frameAddress({ ...attributes(), backend: "recorded" });
    if (preview.src !== address) preview.src = address;
    Object.assign(preview, { width, height });
  }
}

/** Choices in the language of now. */
const translated = (choices) => choices.map(([value, words]) => [value, say(words)]);

const escaped = (text) => String(text).replaceAll("&", "&amp;").replaceAll('"', "&quot;").replaceAll("<", "&lt;");
