// The dialog that saves: a picture of what is on the screen, and the run as data.

import { svg, svgText } from "../export/svg.js";
import { blobOf, KINDS } from "../export/files.js";
import { carryOut, copy, download, make, menu, openDialog } from "../export/parts.js";
import { kindOf, panelsOf, pictureOf } from "../export/picture.js";
import { png } from "../export/png.js";
import { printReport } from "../export/report.js";
import { say, speak } from "../export/words.js";

/** @import { MoePlayground } from "../../index.d.ts" */

/** @param {MoePlayground} figure */
export async function openSave(figure) {
  await speak(figure);
  const trace = figure.getTrace();
  if (!trace || trace.steps.length === 0) {
    await openDialog(figure, say("Save"), make("p", {}, say("There is nothing to save yet: the figure has no run.")));
    return;
  }
  const panels = panelsOf(figure);
  const named = [...panels].map(([name, panel]) => [name, kindOf(panel)]);
  const panel = menu(say("Picture"), panels.size === 1 ? named : [["page", say("All panels")], ...named], show);
  const formats = [
    ["svg", say("SVG (vectors)")],
    ["1", "PNG, 1×"],
    ["2", "PNG, 2×"],
    ["3", "PNG, 3×"],
  ];
  const widths = [
    ["", say("as on the screen")],
    ["84", say("84 mm, one column")],
    ["174", say("174 mm, two columns")],
  ];
  const looks = [
    ["paper", say("for paper")],
    ["screen", say("as on the screen")],
  ];
  const [format, width] = [menu(say("Format"), formats, show), menu(say("Width"), widths, show)];
  const colours = menu(say("Colours"), looks, show);
  const caption = make("input", { type: "checkbox", checked: true, onchange: show });
  const preview = make("div", { className: "preview", role: "img", "aria-label": say("Preview") });

  const picture = () =>
    pictureOf(figure, trace, {
      panel: panel.select.value,
      width: /** @type {84 | 174 | undefined} */ (Number(width.select.value) || undefined),
      colours: colours.select.value,
      caption: caption.checked,
    });
  const isSvg = () => format.select.value === "svg";
  const file = async () => {
    if (isSvg()) return new Blob([svgText(picture())], { type: "image/svg+xml" });
    return png(picture(), Number(format.select.value));
  };
  const copyPicture = () => (isSvg() ? copy({ "text/plain": svgText(picture()) }) : copy({ "image/png": file() }));
  const keepPicture = async () => download(await file(), `moe-${panel.select.value}.${isSvg() ? "svg" : "png"}`);
  const keepData = async (type) => download(await blobOf(figure, type), `moe-run.${KINDS[type].ending}`);
  const copyPandas = () => copy({ "text/plain": blobOf(figure, "text/x-python").then((blob) => blob.text()) });

  const print = () => {
    dialog.close();
    return printReport(figure);
  };

  const button = (words, act, className = "plain") =>
    make("button", { type: "button", className, onclick: () => carryOut(tell, act) }, words);
  const options = make(
    "div",
    { className: "options" },
    ...[panel, format, width, colours].map(({ field }) => field),
    make("label", { className: "check" }, caption, say("With model, rule, seed and link below")),
    make(
      "div",
      { className: "buttons" },
      button(say("Save picture"), keepPicture, "primary"),
      button(say("Copy"), copyPicture),
    ),
  );
  const data = make(
    "div",
    { className: "data" },
    make("h3", { className: "topic" }, say("The run")),
    make(
      "div",
      { className: "buttons" },
      button(say("JSON lines"), () => keepData("application/x-ndjson")),
      button("CSV", () => keepData("text/csv")),
      button("NumPy", () => keepData("application/x-npz")),
      button(say("Copy as pandas"), copyPandas),
      button(say("Print a report"), print),
    ),
  );
  const { tell, dialog } = await openDialog(
    figure,
    say("Save"),
    make("div", { className: "columns-of-two" }, options, preview),
    data,
  );
  show();

  function show() {
    carryOut(tell, async () => {
      const drawn = svg(picture());
      drawn.removeAttribute("width");
      drawn.removeAttribute("height");
      preview.replaceChildren(drawn);
      return "";
    });
  }
}
