// What a run is saved as, read by the Python it is meant for: NumPy and pandas, of the notebook's environment.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { npz } from "../../packages/moe-playground/src/export/npz.js";
import { pandas } from "../../packages/moe-playground/src/export/pandas.js";
import { COLUMNS, requestRows } from "../../packages/moe-playground/src/export/rows.js";
import { fromJsonLines } from "../lib/traces.mjs";

const trace = fromJsonLines(readFileSync(new URL("../../site/traces/default.jsonl", import.meta.url), "utf8"));

/** What a script prints as JSON, with `input` to read. */
const told = (script, input) =>
  JSON.parse(execFileSync(process.env.MOE_PYTHON, ["-c", script], { input, maxBuffer: 1 << 28 }).toString());

const narrow = (value) => (typeof value === "number" ? Math.fround(value) : value);

test("NumPy reads the arrays, without pickles", async () => {
  const script = `
import io, json, sys, numpy
held = numpy.load(io.BytesIO(sys.stdin.buffer.read()), allow_pickle=False)
told = {name: [str(held[name].dtype), list(held[name].shape)] for name in held.files}
print(json.dumps([told, held["fates"][held["fate"]].tolist(), float(held["gate_logits"].astype("f8").sum())]))`;
  const bytes = Buffer.from(await (await npz(trace)).arrayBuffer());
  const [arrays, fates, sum] = told(script, bytes);
  const rows = [...requestRows(trace.steps)];
  assert.deepEqual(
    [arrays.expert, arrays.weight, arrays.fates],
    [
      ["int32", [rows.length]],
      ["float32", [rows.length]],
      ["<U15", [7]],
    ],
  );
  assert.deepEqual(
    fates,
    rows.map(({ fate }) => fate),
  );
  const logits = trace.steps.flatMap(({ layers }) => layers.flatMap(({ gate_logits }) => gate_logits.values));
  assert.ok(Math.abs(sum - logits.reduce((sum, logit) => sum + Math.fround(logit), 0)) < 1e-3);
});

test("pandas makes a table of the step from the copied code, number for number", () => {
  const script = `
import json, sys
held = {}
exec(sys.stdin.read(), held)
table = held["requests"]
print(json.dumps([list(table.columns), json.loads(table.to_json(orient="values", double_precision=15))]))`;
  const [columns, rows] = told(script, pandas(trace.steps[1], "One line."));
  assert.deepEqual(columns, [...COLUMNS]);
  const expected = [...requestRows([trace.steps[1]])].map((row) => COLUMNS.map((name) => narrow(row[name] ?? null)));
  assert.deepEqual(
    rows.map((row) => row.map(narrow)),
    expected,
  );
});
