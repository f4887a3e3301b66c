// Adapters beside the shipped model, in a real browser: they learn the reader's text, are kept, opened and refused.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { suite } from "../lib/suite.mjs";

const site = suite();

const TEXT = "Verily the zorbles quindled the flimmow, and many more did not. ".repeat(60);

/** Opens the lab as a figure without an engine, with the part for adapters unfolded. */
async function lab(t) {
  const { page, problems } = await site.open(t, "examples/two.html", {
    prepare: async (page) => {
      await page.route("**/examples/two.html", (route) =>
        route.fulfill({
          contentType: "text/html",
          body: `<!doctype html><title>Lab</title><script type="module" src="../assets/element.js"></script>
<moe-playground view="training" backend="recorded" loading="eager"></moe-playground>`,
        }),
      );
    },
  });
  await page.getByText("Adapt the page's model to your own text").click();
  return { page, problems };
}

const text = (page) => page.getByRole("textbox", { name: /Text for the adapters/ });
const button = (page, name) => page.getByRole("button", { name });
const fact = (page, name) => page.locator(".lab-adapter-facts li", { hasText: name }).locator("b").textContent();

/** Held-out loss before and after. */
async function heldOut(page) {
  const words = await fact(page, "held-out loss before and after");
  const [, before, after] = words.match(/^([\d.]+) → ([\d.]+) /);
  return { before: Number(before), after: Number(after) };
}

/** Rests, and waits until the look of the last step is there. */
async function rest(page) {
  await button(page, "Rest").click();
  await button(page, "Learn on").waitFor();
}

test("adapters learn the reader's text, and the loss falls below that of the frozen model", async (t) => {
  const { page, problems } = await lab(t);
  await text(page).fill("too short");
  await button(page, "Train adapters").click();
  await page
    .getByRole("alert")
    .getByText(/its last tenth is held out/)
    .waitFor();
  await text(page).fill(TEXT);
  await button(page, "Train adapters").click();
  await button(page, "Rest").waitFor({ timeout: 120_000 });
  assert.equal(await page.getByRole("alert").count(), 0);
  assert.ok(Number(await fact(page, "numbers trained")) > 1000);
  assert.match(await fact(page, "of the model default, frozen"), /\(0\.\d\d %\)$/);
  const first = await heldOut(page);
  const words = await page.locator(".lab-adapters .lab-curves svg").getAttribute("aria-label");
  assert.match(words, /the held-out loss is [\d.]+ nats per token, that of the frozen model [\d.]+$/);
  assert.equal(first.after, first.before, "adapters that have learned nothing change nothing");
  await rest(page);
  await button(page, "Ten steps").click();
  await button(page, "Learn on").waitFor({ timeout: 120_000 });
  const last = await heldOut(page);
  assert.equal(last.before, first.before);
  assert.ok(last.after < last.before, `${last.before} → ${last.after}`);
  // Four layers, four adapters each, whose shares are all.
  const rows = page.locator(".lab-adapter-loads tbody tr");
  assert.equal(await rows.count(), 4);
  const shares = await rows.first().locator("td").allTextContents();
  const sum = shares.reduce((sum, share) => sum + Number.parseFloat(share), 0);
  assert.ok(shares.length === 4 && Math.abs(sum - 100) < 3, shares.join(" "));
  const probe = page.getByRole("textbox", { name: "Probe" });
  await probe.fill("flimmow");
  await probe.press("Enter");
  await page.waitForFunction(() => {
    const cells = document
      .querySelector("moe-playground")
      .shadowRoot.querySelectorAll(".lab-adapter-probe tr:first-child td");
    return [...cells].map((cell) => cell.textContent).join("") === "flimmow";
  });
  assert.deepEqual(problems, []);
});

test("adapters are kept as a small file, opened again to the last digit, and other files are refused", async (t) => {
  const { page, problems } = await lab(t);
  await text(page).fill(TEXT);
  await button(page, "Train adapters").click();
  await button(page, "Rest").waitFor({ timeout: 120_000 });
  await rest(page);
  await button(page, "Ten steps").click();
  await button(page, "Learn on").waitFor({ timeout: 120_000 });
  const before = await heldOut(page);
  const keep = () => Promise.all([page.waitForEvent("download"), button(page, /^Keep adapters after/).click()]);
  const [download] = await keep();
  assert.match(download.suggestedFilename(), /^adapters-step-\d+\.safetensors$/);
  const file = await readFile(await download.path());
  assert.ok(file.length < 200_000, `${file.length} bytes`);
  assert.ok(!file.includes("zorbles"), "the reader's text is not in it");
  const field = page.locator(".lab-open-adapters input");
  await field.setInputFiles({ name: "letter.safetensors", mimeType: "", buffer: Buffer.from("Dear reader") });
  await page.getByRole("alert").getByText("no file of adapters").waitFor();
  const other = Buffer.from(file);
  const at = other.indexOf("model_sha256") + 'model_sha256\\":\\"'.length;
  other[at] = other[at] === 0x30 ? 0x31 : 0x30;
  await field.setInputFiles({ name: "other.safetensors", mimeType: "", buffer: other });
  await page
    .getByRole("alert")
    .getByText(/These adapters stand beside the model/)
    .waitFor();
  assert.deepEqual(await heldOut(page), before, "what was there is still there");

  await field.setInputFiles({ name: "mine.safetensors", mimeType: "", buffer: file });
  await page.locator(".lab-adapter-facts").getByText("mine.safetensors").waitFor();
  await button(page, "Rest").waitFor();
  await rest(page);
  const opened = await heldOut(page);
  assert.equal(opened.before, before.before);
  assert.ok(opened.after < before.before);
  assert.deepEqual(problems, []);
});
