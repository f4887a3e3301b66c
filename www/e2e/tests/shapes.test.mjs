// A model of other sizes than ours, six times as large, loads and runs: random weights, written as the benchmark beside
// other engines writes them.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { suite } from "../lib/suite.mjs";
import { promptOf } from "../peers/models/letters.js";
import { writeOurs } from "../peers/models/ours.mjs";
import { SHAPES, numParameters } from "../peers/models/shapes.mjs";
import { randomWeights } from "../peers/models/weights.mjs";
import { peerServer } from "../peers/server.mjs";

const site = suite();
const SHAPE = SHAPES.m;

test("a model of 21 million parameters loads from its address, and runs", async (t) => {
  assert.equal(Math.round(numParameters(SHAPE) / 1e6), 21);
  const folder = mkdtempSync(join(tmpdir(), "moe-shape-"));
  t.after(() => rmSync(folder, { recursive: true }));
  writeOurs(folder, "m", SHAPE, randomWeights(SHAPE, 7));
  const server = await peerServer(site.url, folder);
  t.after(server.close);
  const { page, problems } = await site.open(t, `${server.url}peer.html`);
  page.setDefaultTimeout(120_000);

  /** Two texts of five tokens, one after the other. */
  const texts = (variant) =>
    page.evaluate(
      async ([model, prompt]) => {
        const driver = "/peers/pages/ours.js";
        const { load } = await import(driver);
        const engine = await load(model);
        return [await engine.write(prompt, 5), await engine.write(prompt, 5)];
      },
      [{ folder: "/models/peers/", variant }, promptOf(128)],
    );
  const [inF32, again] = await texts("cpu_f32");
  assert.equal(inF32.length, 5);
  assert.ok(
    inF32.every((id) => Number.isInteger(id) && id > 0 && id < SHAPE.vocab_size),
    `${inF32}`,
  );
  assert.deepEqual(again, inF32);
  const [in8Bits] = await texts("cpu");
  assert.equal(in8Bits.length, 5);
  assert.equal(in8Bits[0], inF32[0], "8-bit matrices expect the same token next");
  assert.deepEqual(problems, []);
});
