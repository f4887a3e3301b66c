// What the dialogs are made of: elements, a frame that opens over the page, the clipboard, and a file to keep.

import { languageOf, say } from "../export/words.js";

/** @import { MoePlayground } from "../../index.d.ts" */

const SHEET = new URL("../export/dialog.css", import.meta.url);

/**
 * An element with these properties (attributes where they have a dash) and children.
 *
 * @param {string} tag
 * @param {Record<string, any>} properties
 * @param {(Node | string)[]} children
 * @returns {any}
 */
export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.includes("-")) element.setAttribute(name, value);
    else element[name] = value;
  }
  element.append(...children);
  return element;
}

/**
 * A choice of several, as a menu with a label.
 *
 * @param {string} label
 * @param {Iterable<string[]>} choices - values and what they are called
 * @param {() => void} onchange
 */
export function menu(label, choices, onchange) {
  const options = [...choices].map(([value, words]) => make("option", { value }, words));
  const select = make("select", { onchange }, ...options);
  return { select, field: make("label", { className: "field" }, make("span", {}, label), select) };
}

/**
 * The figure's shadow root, once the style sheet of what lies over the page applies. Without it dialogs are plain.
 *
 * @param {MoePlayground} figure
 * @returns {Promise<ShadowRoot>}
 */
export async function withSheet(figure) {
  const root = /** @type {ShadowRoot} */ (figure.shadowRoot);
  if (!root.querySelector(`link[href="${SHEET.href}"]`)) {
    const link = make("link", { rel: "stylesheet", href: SHEET.href });
    const loaded = new Promise((resolve) => {
      link.onload = resolve;
      link.onerror = resolve;
    });
    // After the page's own, which it builds on.
    root.querySelector("#root")?.before(link);
    await loaded;
  }
  return root;
}

/** Says something in passing, for eyes and ears. */
export async function tell(figure, words) {
  const root = await withSheet(figure);
  root.querySelector(".moe-said")?.remove();
  const said = make("p", { role: "status" });
  const around = over(figure, root, "moe-said", said);
  root.append(around);
  // A live region speaks of what comes into it.
  said.textContent = words;
  setTimeout(() => around.remove(), 3000);
}

/** What lies over the page, in its colours. */
function over(figure, root, className, ...children) {
  const moe = /** @type {HTMLElement | null} */ (root.querySelector(".moe-container .moe"));
  const theme = moe?.dataset.theme ?? "system";
  const properties = {
    className: `moe moe-over notranslate ${className}`,
    "data-theme": theme,
    ...languageOf(figure),
  };
  const around = make("div", properties, ...children);
  around.translate = false;
  return around;
}

/**
 * Opens a dialog over the page; there is one at a time. It is taken away when it closes, and the focus goes back.
 *
 * @param {MoePlayground} figure
 * @param {string} title
 * @param {(Node | string)[]} children
 */
export async function openDialog(figure, title, ...children) {
  const root = await withSheet(figure);
  root.querySelector("dialog")?.close();
  const status = make("p", { className: "told fine", role: "status" });
  const close = make("button", { type: "button", className: "quiet", "aria-label": say("Close") }, "×");
  const heading = make("h2", { id: "dialog-title" }, title);
  const dialog = make(
    "dialog",
    { "aria-labelledby": "dialog-title" },
    make("header", {}, heading, close),
    ...children,
    status,
  );
  const around = over(figure, root, "moe-asks", dialog);
  // The page's keys are not for what lies over it.
  around.addEventListener("keydown", (event) => event.stopPropagation());
  close.onclick = () => dialog.close();
  dialog.addEventListener("close", () => around.remove());
  // A press beside the dialog is one on its backdrop, which is its own.
  dialog.addEventListener("pointerdown", (event) => {
    const { left, right, top, bottom } = dialog.getBoundingClientRect();
    const { clientX: x, clientY: y } = event;
    if (event.target === dialog && (x < left || x > right || y < top || y > bottom)) dialog.close();
  });
  root.append(around);
  dialog.showModal();
  return { dialog, tell: (words) => (status.textContent = words) };
}

/** Carries out what a button asks for, and says how it ended. */
export async function carryOut(tell, act) {
  try {
    tell(await act());
  } catch (error) {
    const { what, why, try_this, message } = /** @type {any} */ (error);
    tell(what ? `${what} ${why} ${try_this}` : say("This did not work. {message}", { message }));
  }
}

/** Lets the browser keep a file. */
export function download(blob, name) {
  const href = URL.createObjectURL(blob);
  make("a", { href, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(href), 60_000);
  return say("Saved as {name}.", { name });
}

/**
 * To the clipboard. A file that is still made may be a promise: some browsers want to be asked in the same moment as the
 * key or the button was pressed.
 *
 * @param {Record<string, string | Blob | Promise<string | Blob>>} kinds - by media type
 */
export async function copy(kinds) {
  if (!navigator.clipboard) throw new Error(say("This page may not use the clipboard."));
  const text = kinds["text/plain"];
  if (typeof text === "string" && Object.keys(kinds).length === 1) await navigator.clipboard.writeText(text);
  else await navigator.clipboard.write([new ClipboardItem(kinds)]);
  return say("Copied.");
}
