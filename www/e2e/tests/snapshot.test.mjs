// What `cargo xtask snapshot` prints: a picture and a table that say what the figure says, for who has no scripts.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { promisify } from "node:util";

import { openFigure } from "../lib/figure.mjs";
import { suite } from "../lib/suite.mjs";

const site = suite();
const run = promisify(execFile);

const snapshot = async (...values) => {
  const { stdout } = await run(process.execPath, ["snapshot.mjs", ...values], { maxBuffer: 1 << 24 });
  return stdout;
};

test("a snapshot is the figure's picture and its table, and stands where no script runs", async (t) => {
  const attributes = ["view=load", "step=0", "layer=1"];
  const markup = await snapshot("--width", "480", ...attributes);
  assert.match(markup, /^<svg .*<\/svg>\s*<details>.*<\/details>\s*$/s);
  assert.doesNotMatch(markup, /<script| on[a-z]+=/);
  assert.doesNotMatch(markup.split("<details>")[1], /style=|class=/);

  const { figure } = await openFigure(site, t, {
    path: `embed.html?backend=recorded&${attributes.join("&")}`,
    newTokens: null,
  });
  await figure.panel("load").locator(".finding").waitFor();
  const finding = await figure.panel("load").locator(".finding").textContent();

  const { page, problems } = await site.open(t, "article.html", {
    javaScriptEnabled: false,
    prepare: (page) =>
      page.route("**/article.html", (route) =>
        route.fulfill({
          contentType: "text/html; charset=utf-8",
          body: `<!doctype html><link rel="icon" href="data:,"><moe-playground>${markup}</moe-playground>`,
        }),
      ),
  });
  const picture = page.locator("svg");
  assert.ok((await picture.textContent())?.includes(finding ?? "?"), `${finding} is in the picture`);
  const { width, height } = (await picture.boundingBox()) ?? {};
  assert.ok(width > 300 && width <= 480 && height > 50, `${width} × ${height}`);
  await page.getByText("as a table").click();
  assert.ok((await page.getByRole("row").count()) > 8, "a row for each expert, and one of headings");
  // The scripts that the policy forbids are the point of it.
  assert.deepEqual(
    problems.filter((problem) => !problem.endsWith(" csp")),
    [],
  );
});

test("a snapshot of attributes that cannot be used says so", async () => {
  await assert.rejects(snapshot("view=lanes", "seed=-1"), /The attribute seed=/);
  await assert.rejects(snapshot("view"), /is not an attribute/);
});
