// A second language: chosen by hand, by link, by tag and by the browser; and complete, wherever one looks.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Figure, openFigure } from "../lib/figure.mjs";
import { suite } from "../lib/suite.mjs";
import { englishIn, wordsOf } from "../lib/words.mjs";

const site = suite();

const RECORDED = { backend: "recorded" };
const HAN = /\p{Script=Han}/u;
/** Files are called by their formats in every language. */
const FORMAT = /^(?:CSV|JSON|SVG|PNG|NumPy|pandas|Markdown|HTML)$/;

const language = (figure, name) => figure.host.locator(".moe-container").getByRole("radio", { name, exact: true });
const depth = (figure, value) => figure.host.locator(`.moe-container .depths input[value=${value}]`);
const speaks = (figure, tag) => figure.host.locator(`.moe-container .moe[lang="${tag}"]`).first().waitFor();
const kindOf = (figure, area) => figure.panel(area).getAttribute("aria-label");

test("the switch changes every word at once, the keyboard moves it, and a link keeps it", async (t) => {
  const { page, figure, problems } = await openFigure(site, t, { attributes: RECORDED });
  await figure.recorded();
  assert.ok(await language(figure, "English").isChecked());
  const [english, selected] = [await kindOf(figure, "lanes"), await figure.selection()];
  await language(figure, "English").focus();
  await page.keyboard.press("ArrowRight");
  await speaks(figure, "zh-Hans");
  await page.waitForFunction(() => location.hash.includes("lang=zh"));
  assert.ok(await language(figure, "中文").isChecked());
  // The switch itself stands where it was, with the focus.
  assert.ok(await language(figure, "中文").evaluate((input) => input.matches(":focus")));
  assert.match(await figure.host.locator(".languages").getAttribute("aria-label"), HAN);

  await page.reload();
  await speaks(figure, "zh-Hans");
  assert.ok(await language(figure, "中文").isChecked());
  await language(figure, "English").check();
  await speaks(figure, "en");
  assert.equal(await kindOf(figure, "lanes"), english);
  assert.deepEqual(await figure.selection(), selected);
  assert.deepEqual(problems, []);
});

test("the dialogs speak the language of the figure, and so does what is said of a copied link", async (t) => {
  const { page, figure, problems } = await openFigure(site, t, {
    attributes: { ...RECORDED, lang: "zh" },
    permissions: ["clipboard-read", "clipboard-write"],
  });
  await figure.recorded();
  await speaks(figure, "zh-Hans");
  const dialog = figure.host.getByRole("dialog");
  for (const open of ["save", "share"]) {
    await figure.host.locator(`.moe-container [data-open=${open}]`).click();
    await dialog.waitFor();
    assert.match(await dialog.getByRole("heading").first().textContent(), HAN);
    for (const button of await dialog.getByRole("button").all()) {
      const words = (await button.getAttribute("aria-label")) ?? (await button.textContent());
      assert.ok(HAN.test(words) || FORMAT.test(words.trim()), words);
    }
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
  }
  assert.deepEqual(problems, []);
});

test("a figure speaks the language of the text around it, beside one in another", async (t) => {
  const { page, problems } = await openFigure(site, t, {
    path: "examples/two.html",
    prepare: (page) =>
      page.route("**/examples/two.html", async (route) => {
        const response = await route.fetch();
        const html = await response.text();
        const around = html.replace('<moe-playground id="tight"', '<section lang="zh-CN">$&');
        const attributes = '<moe-playground backend="recorded" loading="eager" view="strip lanes"';
        await route.fulfill({ response, body: around.replaceAll("<moe-playground", attributes) });
      }),
  });
  const [roomy, tight] = ["#roomy", "#tight"].map((id) => new Figure(page, id));
  await speaks(tight, "zh-Hans");
  await speaks(roomy, "en");
  await tight.panel("lanes").locator(".lane").first().waitFor();
  await roomy.panel("lanes").locator(".lane").first().waitFor();
  // One is drawn again, and the other keeps its words.
  for (const figure of [tight, roomy, tight]) {
    await figure.tokens.nth(2).click();
    assert.match(await tight.panel("strip").textContent(), HAN);
    assert.doesNotMatch(await roomy.panel("strip").textContent(), HAN);
  }
  assert.deepEqual(problems, []);
});

test("what is looked for as English is found, and sources and names of methods are not", () => {
  const check = (text, expected) => assert.deepEqual(englishIn(text, new Set()), expected, text);
  check("Fedus et al. 2021 (Switch), arXiv:2101.03961；Jordan and Jacobs 1994", []);
  check("Top-k，与模型训练时相同；同 Switch", []);
  check("Switch to the next token", ["Switch", "to", "the", "next", "token"]);
  check("第 2 层 of 4, Top of all", ["of", "Top", "of", "all"]);
  check("许可证：MIT or Apache 2.0, by Fedus and others", ["by", "Fedus", "and", "others"]);
});

test("a browser whose user reads Chinese gets it by itself, and the link says nothing of that", async (t) => {
  const { page, figure, problems } = await openFigure(site, t, { attributes: RECORDED, locale: "zh-CN" });
  await figure.recorded();
  await speaks(figure, "zh-Hans");
  assert.ok(!page.url().includes("lang="), page.url());
  assert.deepEqual(problems, []);
});

test("without its catalogue the page speaks English, and says so to who asked by hand", async (t) => {
  const { page, figure } = await openFigure(site, t, {
    attributes: RECORDED,
    locale: "zh-CN",
    prepare: (page) => page.route("**/words/zh.json", (route) => route.fulfill({ status: 404, body: "" })),
  });
  await figure.recorded();
  await speaks(figure, "en");
  assert.equal(await figure.notice.count(), 0);
  // It goes back by itself, perhaps at once.
  await language(figure, "中文").click();
  const told = await figure.told("中文");
  assert.match(told, /zh\.json was answered with status 404\./);
  assert.match(told, /The page goes on in English/);
  assert.ok(await language(figure, "English").isChecked());
  await page.unroute("**/words/zh.json");
  await language(figure, "中文").check();
  await speaks(figure, "zh-Hans");
});

for (const at of ["story", "inspect", "lab"]) {
  test(`in Chinese nothing is left in English at the depth ${at}`, async (t) => {
    const { figure, problems } = await openFigure(site, t, { attributes: { ...RECORDED, lang: "zh", depth: at } });
    await figure.recorded();
    await speaks(figure, "zh-Hans");
    assert.ok(await depth(figure, at).isChecked());
    const names = await namesOf(figure);
    const left = new Map();
    const look = async () => {
      for (const { text, where } of await wordsOf(figure)) {
        if (englishIn(text, names).length > 0 && !left.has(text)) left.set(text, where);
      }
    };
    await look();
    // Each panel as its table, the words behind pop-ups, and the keyboard map.
    for (const button of await figure.host.locator(".moe-container .as-table").all()) await button.click();
    await look();
    for (const summary of await figure.host.locator(".moe-container summary:visible").all()) {
      await summary.click();
      await look();
      await figure.page.keyboard.press("Escape");
    }
    await figure.page.keyboard.press("?");
    await figure.host.locator(".help").waitFor();
    await look();
    assert.deepEqual(
      [...left].map(([text, where]) => `${where}: ${text}`),
      [],
    );
    assert.deepEqual(problems, []);
  });
}

/** Words of the names of models, rules, losses and places of the text, which are the same in every language. */
async function namesOf(figure) {
  const menu = await fetch(new URL("models/index.json", site.url)).then((response) => response.json());
  const values = await figure.host.evaluate(({ shadowRoot }) =>
    [...shadowRoot.querySelectorAll("option, code")].map(
      (element) => element.getAttribute("value") ?? element.textContent,
    ),
  );
  const texts = [...menu.flatMap(({ name, folder, rule }) => [name, folder, rule]), ...values];
  return new Set(texts.flatMap((text) => text.match(/[A-Za-z][A-Za-z0-9_]*/g) ?? []));
}
