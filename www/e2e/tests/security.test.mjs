// Security policies: under the documented lines all works, and a line that is missing is called the reason.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { openFigure } from "../lib/figure.mjs";
import { openHost } from "../lib/host.mjs";
import { suite } from "../lib/suite.mjs";

const site = suite();

/** The lines of the security policy that docs/EMBEDDING.md tells authors to send, as one header. */
function documentedPolicy() {
  const text = readFileSync(new URL("../../../docs/EMBEDDING.md", import.meta.url), "utf8");
  const [, policy] = text.match(/```text\nContent-Security-Policy:([^`]+)```/);
  return policy.replaceAll(/\s+/g, " ").trim();
}

/** Keeps in the page what its policy forbids. The page's own icon is not in the documented lines, which are the element's. */
const violations = (page) =>
  page.addInitScript(() => {
    window.moeViolations = [];
    addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI, sample }) => {
      if (blockedURI !== "data") window.moeViolations.push({ violatedDirective, blockedURI, sample });
    });
  });
const withoutIcon = (problems) => problems.filter((problem) => !/data:,/.test(problem));

test("under the strictest policy with the documented lines a figure runs without a violation", async (t) => {
  const policy = documentedPolicy();
  assert.match(policy, /default-src 'none'/);
  assert.match(policy, /require-trusted-types-for 'script'/);
  assert.doesNotMatch(policy, /unsafe-inline|unsafe-eval'? (?!.*wasm)/);
  const { page, figure, problems } = await openHost(site, t, "<moe-playground><p>The fallback.</p></moe-playground>", {
    headers: { "Content-Security-Policy": policy },
    prepare: violations,
  });
  const { header } = await figure.finished();
  assert.match(header.origin.source, /^live/);
  await figure.tokens.nth(3).click();
  await figure.capacityFactor.fill("0.5");
  await figure.finished({ after: header.request.run });
  assert.ok((await figure.panel("lanes").boundingBox()).height > 300, "it has its styles");
  assert.deepEqual(await page.evaluate(() => window.moeViolations), []);
  assert.deepEqual(withoutIcon(problems), []);
});

test("under that policy Save and Share open, with their styles, and a picture is drawn", async (t) => {
  const { page, figure, problems } = await openHost(site, t, `<moe-playground backend="recorded"></moe-playground>`, {
    headers: { "Content-Security-Policy": documentedPolicy() },
    prepare: violations,
  });
  await figure.recorded();
  for (const [name, picture] of [
    ["Save", "Preview"],
    ["Share", "QR code of the link"],
  ]) {
    await figure.button(name).click();
    const dialog = figure.host.getByRole("dialog", { name });
    await dialog.getByRole("img", { name: picture }).waitFor();
    assert.ok(
      await dialog.getByRole("img", { name: picture }).evaluate((it) => it.querySelector("path") !== null),
      name,
    );
    assert.equal(await dialog.evaluate((it) => getComputedStyle(it).borderTopLeftRadius), "8px", name);
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
  }
  assert.deepEqual(await page.evaluate(() => window.moeViolations), []);
  assert.deepEqual(withoutIcon(problems), []);
});

for (const [lacking, without, said] of /** @type {[string, RegExp, RegExp][]} */ ([
  ["worker-src", /worker-src [^;]+; /, /^The security policy of the page around it forbids workers\.$/],
  ["'wasm-unsafe-eval'", / 'wasm-unsafe-eval'/, /^The security policy of the page around it forbids web_bg.*\.wasm\.$/],
])) {
  test(`a policy that lacks ${lacking} is called the reason, once, and no worker is left`, async (t) => {
    const policy = documentedPolicy().replace(without, "");
    assert.ok(!policy.includes(lacking));
    const { page, figure } = await openHost(site, t, "<moe-playground><p id='mine'>Mine.</p></moe-playground>", {
      headers: { "Content-Security-Policy": policy },
    });
    const { why, try_this } = await figure.error("could not");
    assert.match(why, said);
    assert.equal(try_this, "The policy must allow what docs/EMBEDDING.md lists.");
    // What can still be shown is: the recorded run, or what the author wrote.
    if (lacking === "worker-src") await figure.recorded();
    else assert.ok(await page.locator("#mine").isVisible());
    assert.equal(await page.evaluate(() => window.moe.errors.length), 1, "it is told once");
    assert.equal(page.workers().length, 0);
  });
}

test("the site itself has no inline style and no inline script", async (t) => {
  const answer = await fetch(site.url);
  const html = await answer.text();
  assert.doesNotMatch(html, /<style|<script(?![^>]*src=)| style=| on\w+="/);
  const policy =
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; connect-src 'self'; worker-src 'self'; img-src data:; require-trusted-types-for 'script'; trusted-types moe-playground";
  const { figure, problems } = await openFigure(site, t, {
    prepare: (page) =>
      page.route(site.url, async (route) => {
        const response = await route.fetch();
        await route.fulfill({ response, headers: { ...response.headers(), "Content-Security-Policy": policy } });
      }),
  });
  const { header } = await figure.finished();
  assert.match(header.origin.source, /^live/);
  assert.deepEqual(problems, []);
});
