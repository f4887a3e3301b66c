// The printed report: the page as its style sheet sets it on paper, and above it what finds the same picture again.

import { factsOf, sentences } from "../export/facts.js";
import { linkOf } from "../export/link.js";
import { make, withSheet } from "../export/parts.js";
import { qrDrawing } from "../export/share.js";
import { languageOf, speak } from "../export/words.js";

/**
 * Opens the browser's printing.
 *
 * @param {import("../../index.d.ts").MoePlayground} figure
 */
export async function printReport(figure) {
  await speak(figure);
  const trace = figure.getTrace();
  const root = await withSheet(figure);
  const link = linkOf(figure.getState());
  const head = make("div", { className: "moe moe-report notranslate", ...languageOf(figure) });
  head.append(make("p", {}, trace ? sentences(factsOf(trace.header, link)) : link), qrDrawing(link));
  root.querySelector("#root")?.before(head);
  // Some browsers go on at once, and print later.
  addEventListener("afterprint", () => head.remove(), { once: true });
  window.print();
  return "";
}
