// The figure in a frame, for hosts that allow nothing else: parameters, messages, who may send them; and the dialog that
// writes the code for it.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { Figure, openFigure } from "../lib/figure.mjs";
import { pageServer } from "../lib/page_server.mjs";
import { suite } from "../lib/suite.mjs";

const site = suite();

/**
 * A page of another origin with the frame in it; `window.heard` there holds what it was told. `origins` as the frame's
 * address lists them; ORIGIN stands for the page's own.
 */
async function openFrame(t, { origins = "ORIGIN", query = "view=lanes&controls=none&backend=recorded" } = {}) {
  const host = await pageServer(`<!doctype html><title>A host</title><link rel="icon" href="data:,"><script>
    window.heard = [];
    addEventListener("message", ({ data, origin }) => window.heard.push({ ...data, origin }));
  </script><body>`);
  t.after(host.close);
  const { page, problems } = await site.open(t, host.url);
  const address = new URL(`embed.html?${query}`, site.url);
  address.searchParams.set("origins", origins.replace("ORIGIN", new URL(host.url).origin));
  await page.evaluate((src) => {
    const frame = Object.assign(document.createElement("iframe"), { src, width: 600, height: 500 });
    document.body.append(frame);
  }, address.href);
  const frame = page.frameLocator("iframe");
  const heard = (type) =>
    page.waitForFunction((type) => /** @type {any} */ (window).heard.find((message) => message.type === type), type);
  const send = (message) =>
    page.evaluate((message) => document.querySelector("iframe").contentWindow.postMessage(message, "*"), message);
  const all = () => page.evaluate(() => /** @type {any} */ (window).heard);
  return { page, problems, frame, heard, send, all };
}

const CALL = { source: "moe-playground", v: 1, type: "call" };

test("a frame shows the figure of its address, tells its height and answers who is on its list", async (t) => {
  const { frame, heard, send, all, problems } = await openFrame(t);
  const ready = await (await heard("ready")).jsonValue();
  assert.deepEqual([ready.source, ready.v, ready.detail.source], ["moe-playground", 1, "recorded"]);
  assert.equal(ready.origin, new URL(site.url).origin);
  await frame.locator(".panel-lanes .slot").first().waitFor();
  assert.equal(await frame.locator(".panel").count(), 1);
  const { height } = await (await heard("height")).jsonValue();
  assert.ok(height > 0);

  await send({ ...CALL, id: 7, method: "seek", values: [{ token: 3, layer: 1 }] });
  const { id, value } = await (await heard("result")).jsonValue();
  assert.deepEqual([id, value.token, value.layer], [7, "3", "1"]);
  await (await heard("statechange")).jsonValue();
  await send({ ...CALL, id: 8, method: "run", values: ["Hello"] });
  await frame.locator(".notice").waitFor();
  const refused = (await all()).find((message) => message.id === 8);
  assert.ok(refused.error.what && refused.error.why && refused.error.try_this);
  assert.deepEqual(problems, []);
});

test("a frame takes the figure's attributes from its address, and files of its own origin only", async (t) => {
  const lesson = encodeURIComponent("http://elsewhere.example/lesson.json");
  const { frame, heard, problems } = await openFrame(t, {
    query: `view=lanes&backend=recorded&hidden=&popover=auto&contenteditable=true&lesson=${lesson}`,
  });
  await heard("ready");
  const names = await frame.locator("moe-playground").evaluate((it) => it.getAttributeNames());
  assert.ok(names.includes("view") && names.includes("backend"));
  for (const name of ["hidden", "popover", "contenteditable", "lesson"]) assert.ok(!names.includes(name), name);
  assert.deepEqual(problems, []);
});

test("what is malformed, unknown, or of anybody else is passed over", async (t) => {
  const { page, heard, send, all, problems } = await openFrame(t);
  await heard("ready");
  const wrong = [
    "text",
    null,
    { ...CALL, source: "somebody", id: 1, method: "getState" },
    { ...CALL, v: 2, id: 2, method: "getState" },
    { ...CALL, type: "ask", id: 3, method: "getState" },
    { ...CALL, id: 4, method: "remove" },
    { ...CALL, id: 5, method: "constructor" },
    { ...CALL, id: 6, method: "getState", values: "none" },
  ];
  for (const message of wrong) await send(message);
  await send({ ...CALL, id: "last", method: "getState" });
  await page.waitForFunction(() => /** @type {any} */ (window).heard.some(({ id }) => id === "last"));
  const answered = (await all()).filter(({ type }) => type === "result").map(({ id }) => id);
  assert.deepEqual(answered, ["last"]);
  assert.deepEqual(problems, []);
});

test("an origin with a slash at its end is on the list, and an address with more behind it is not", async (t) => {
  const { send, heard } = await openFrame(t, { origins: "ORIGIN/" });
  await heard("ready");
  await send({ ...CALL, id: 1, method: "getState" });
  assert.equal((await (await heard("result")).jsonValue()).id, 1);
  const other = await openFrame(t, { origins: "ORIGIN/path" });
  await other.heard("height");
  assert.ok((await other.all()).every(({ type }) => type === "height"));
});

test("without a list of origins a frame tells its height and nothing else", async (t) => {
  const { frame, heard, send, all } = await openFrame(t, { origins: "https://elsewhere.example" });
  await frame.locator(".panel-lanes .slot").first().waitFor();
  await heard("height");
  await send({ ...CALL, id: 1, method: "getTrace" });
  await new Promise((resolve) => setTimeout(resolve, 500));
  assert.deepEqual([...new Set((await all()).map(({ type }) => type))], ["height"]);
});

test("the dialog writes the code of a figure, and what it writes works", async (t) => {
  const { page, figure, problems } = await openFigure(site, t, { attributes: { backend: "recorded" } });
  await figure.recorded();
  await page.evaluate(() =>
    document.querySelector("moe-playground").setState({ prompt: 'A "quoted" <b> & more', token: "2" }),
  );
  await figure.button("Share").click();
  await figure.button("Embed in a page …").click();
  const dialog = figure.host.getByRole("dialog", { name: "Embed" });
  const code = () => dialog.getByRole("textbox", { name: "Code" }).inputValue();
  await dialog.getByLabel("Panels").selectOption("lanes");
  await dialog.getByLabel("Controls").selectOption("step");
  const tag = await page.evaluate(
    (html) => {
      const it = new DOMParser().parseFromString(html, "text/html");
      const figure = it.querySelector("moe-playground");
      const names = figure.getAttributeNames();
      return {
        script: it.querySelector("script").src,
        ...Object.fromEntries(names.map((name) => [name, figure.getAttribute(name)])),
      };
    },
    await code(),
  );
  assert.equal((await page.request.get(tag.script)).status(), 200);
  assert.deepEqual([tag.view, tag.controls, tag.prompt], ["lanes", "step", 'A "quoted" <b> & more']);

  await dialog.getByRole("combobox", { name: "Code" }).selectOption("frame");
  const src = await page.evaluate(
    (html) => new DOMParser().parseFromString(html, "text/html").querySelector("iframe").src,
    await code(),
  );
  assert.equal(new URL(src).searchParams.get("prompt"), 'A "quoted" <b> & more');
  const inside = await site.open(t, `${src}&backend=recorded`);
  await new Figure(inside.page).panel("lanes").locator(".slot").first().waitFor();
  assert.deepEqual(inside.problems, []);

  await dialog.getByRole("combobox", { name: "Code" }).selectOption("markdown");
  assert.match(await code(), /^\[MoE Playground: “[^\]]+”\]\(http/);
  // The preview begins anew at every choice, and gives up what it was loading.
  const isGivenUp = (problem) => problem.endsWith("net::ERR_ABORTED");
  assert.deepEqual(
    problems.filter((problem) => !isGivenUp(problem)),
    [],
  );
});

test("the dialog's preview is the figure that was chosen, as large as was chosen", async (t) => {
  const { page, figure } = await openFigure(site, t, { attributes: { backend: "recorded" } });
  await figure.recorded();
  await figure.button("Share").click();
  await figure.button("Embed in a page …").click();
  const dialog = figure.host.getByRole("dialog", { name: "Embed" });
  const preview = dialog.getByTitle("Preview");
  await dialog.getByLabel("Panels").selectOption("strip");
  await dialog.getByLabel("Controls").selectOption("step");
  await dialog.getByLabel("Size").selectOption("760 500");
  const inside = preview.contentFrame().locator("moe-playground");
  await inside.locator(".panel-strip").waitFor();
  await inside.getByRole("button", { name: "Step forward" }).waitFor();
  assert.equal(await inside.locator(".panel").count(), 1);
  const size = await preview.evaluate((it) => [it.clientWidth, it.clientHeight]);
  assert.deepEqual(size, [760, 500]);
  assert.equal(page.workers().length, 0, "nobody waits for a second engine");
});

test("a frame has every method and event of the element", () => {
  const file = (path) => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");
  const [element] = JSON.parse(file("packages/moe-playground/custom-elements.json")).modules.flatMap(
    ({ declarations = [] }) => declarations,
  );
  const embed = file("site/embed.js");
  const listed = (name) => JSON.parse(embed.match(new RegExp(`const ${name} = (\\[.*?\\]);`))[1]).sort();
  const methods = element.members.filter(({ kind }) => kind === "method").map(({ name }) => name);
  assert.deepEqual(listed("METHODS"), methods.sort());
  assert.deepEqual(listed("EVENTS"), element.events.map(({ name }) => name.replace(/^moe-/, "")).sort());
});
