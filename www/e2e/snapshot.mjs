// What to paste between the tags of a figure, for readers without scripts and for whatever fails: the picture that the
// figure shows at first, as vectors, and its table. `cargo xtask snapshot -- view=lanes capacity-factor=0.5` prints it.
//
//   --width PIXELS   how wide the figure is in its page         (600)
//   --theme THEME    light or dark                              (light)
//   NAME=VALUE       the tag's attributes

import { parseArgs } from "node:util";

import { launch, newPage } from "./lib/browser.mjs";
import { SITE_URL } from "./lib/environment.mjs";

const { values: options, positionals } = parseArgs({
  options: { width: { type: "string", default: "600" }, theme: { type: "string", default: "light" } },
  allowPositionals: true,
});

const attributes = positionals.map((words) => {
  const at = words.indexOf("=");
  if (at < 1) throw new Error(`"${words}" is not an attribute: NAME=VALUE`);
  return [words.slice(0, at), words.slice(at + 1)];
});

const browser = await launch("cpu");
try {
  const viewport = { width: Number(options.width), height: 900 };
  const colorScheme = /** @type {"light" | "dark"} */ (options.theme);
  const { page } = await newPage(browser, { viewport, colorScheme });
  const parameters = new URLSearchParams([["loading", "eager"], ...attributes]);
  // A poster is drawn from the recorded run: the same for everybody.
  parameters.set("backend", "recorded");
  await page.addInitScript(() => {
    const errors = Object.assign(window, { errors: [] }).errors;
    addEventListener("moe-error", (event) => errors.push(/** @type {CustomEvent} */ (event).detail));
  });
  await page.goto(new URL(`embed.html?${parameters}`, SITE_URL).href);
  console.log(await page.evaluate(snapshot));
} finally {
  await browser.close();
}

/** In the page. */
async function snapshot() {
  const figure = /** @type {any} */ (document.querySelector("moe-playground"));
  await figure.load();
  const [error] = /** @type {any} */ (window).errors;
  if (error) throw new Error(`${error.what} ${error.why}`);
  const frame = () => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
  await frame();
  const svg = await (await figure.toBlob("image/svg+xml", { caption: false, colours: "screen" })).text();

  const root = figure.shadowRoot;
  for (const button of root.querySelectorAll(".as-table")) button.click();
  await frame();
  const tables = [...root.querySelectorAll(".panel .table-twin table")].map((table) => {
    const plain = table.cloneNode(true);
    for (const element of [plain, ...plain.querySelectorAll("*")]) {
      for (const { name } of [...element.attributes]) if (name !== "scope") element.removeAttribute(name);
      for (const comment of [...element.childNodes].filter(({ nodeType }) => nodeType === Node.COMMENT_NODE))
        comment.remove();
    }
    return plain.outerHTML.replaceAll("<tr>", "\n<tr>").replaceAll("</tbody>", "\n</tbody>");
  });
  const summary = "The numbers of this picture as a table";
  const table = tables.length > 0 ? `<details><summary>${summary}</summary>\n${tables.join("\n")}\n</details>` : "";
  return `${svg.replace(/^<\?xml.*\n/, "").trim()}\n${table}`.trim();
}
