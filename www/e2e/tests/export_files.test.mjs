// The files that a run is saved as, made from the recorded run without a browser.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { inflateRawSync } from "node:zlib";

import { csv, quoted } from "../../packages/moe-playground/src/export/csv.js";
import { factsOf, sentences, stepOnScreen } from "../../packages/moe-playground/src/export/facts.js";
import { jsonLines } from "../../packages/moe-playground/src/export/jsonl.js";
import { FATES, npz } from "../../packages/moe-playground/src/export/npz.js";
import { pandas } from "../../packages/moe-playground/src/export/pandas.js";
import { qr } from "../../packages/moe-playground/src/export/qr.js";
import { COLUMNS, requestRows, shortest } from "../../packages/moe-playground/src/export/rows.js";
import { crc32 } from "../../packages/moe-playground/src/export/zip.js";
import { fromJsonLines } from "../lib/traces.mjs";

const text = readFileSync(new URL("../../site/traces/default.jsonl", import.meta.url), "utf8");
const trace = fromJsonLines(text);

/** The run as a page has it: numbers of 32 bits, which are longer in 64. */
const widened = JSON.parse(text.split("\n")[1], (_, part) => (typeof part === "number" ? Math.fround(part) : part));

/** A text that tries to be something else in every file. */
const HOSTILE = '=HYPERLINK("http://x")\r\n","\'\'\'\\\u2028é🙂';

/** The run with this text as its first token. */
function withText(bytes) {
  const steps = trace.steps.map((step) => ({
    ...step,
    tokens: step.tokens.map((token, at) =>
      at === 0 ? { ...token, bytes: [...new TextEncoder().encode(bytes)] } : token,
    ),
  }));
  return { ...trace, steps };
}

/** Python with a module, or null. */
function python(module) {
  try {
    execFileSync("python3", ["-c", `import ${module}`], { stdio: "ignore" });
    return (script, input) =>
      JSON.parse(execFileSync("python3", ["-c", script], { input, maxBuffer: 1 << 28 }).toString());
  } catch {
    return null;
  }
}

test("a number is written as short as 32 bits allow", () => {
  for (const number of [0.1, -1.5, 1e-7, 3.4028235e38, 0.08127263, 16777216, 0, -0.3333333]) {
    assert.equal(shortest(Math.fround(number)), number);
  }
  assert.equal(shortest(0.1), 0.1, "one of 64 bits stays");
  assert.equal(jsonLines({ header: trace.header, steps: [widened] }).split("\n")[1], text.split("\n")[1]);
});

test("JSON lines are the run again", () => {
  assert.deepEqual(fromJsonLines(jsonLines(trace)), trace);
});

test("a row is a request, with everything that was recorded of it", () => {
  const rows = [...requestRows(trace.steps)];
  const requests = trace.steps.flatMap(({ layers }) => layers.flatMap(({ routing }) => routing.assignments));
  assert.equal(rows.length, requests.length);
  const [first] = trace.steps;
  const [row] = rows;
  const [request] = first.layers[0].routing.assignments;
  const logits = first.layers[0].gate_logits.values.slice(0, 8);
  const sum = logits.reduce((sum, logit) => sum + Math.exp(logit), 0);
  assert.deepEqual(
    { ...row, probability: 0 },
    {
      step: 0,
      layer: 0,
      token: 0,
      text: "M",
      rank: 0,
      expert: request.expert,
      logit: logits[request.expert],
      probability: 0,
      score: request.weight_raw,
      weight: request.weight,
      fate: "kept",
      slot: 0,
      loss: null,
      token_id: 45,
      bytes: "4d",
    },
  );
  assert.ok(Math.abs(row.probability - Math.exp(logits[request.expert]) / sum) < 1e-7);
  // The shipped model's rule weighs by this very softmax.
  for (const { probability, score } of rows) assert.ok(Math.abs(probability - score) < 1e-6);
  const lost = rows.filter(({ fate }) => fate === "lost");
  assert.ok(lost.length > 0 && lost.every(({ slot }) => slot === null));
});

test("what was not recorded is empty, in every file", async () => {
  const { gate_logits, ...layer } = trace.steps[0].layers[0];
  const steps = [{ ...trace.steps[0], tokens: [{}, ...trace.steps[0].tokens.slice(1)], layers: [layer] }];
  const [row] = requestRows(steps);
  assert.deepEqual([row.logit, row.probability, row.text, row.token_id, row.bytes], [null, null, null, null, null]);
  const [, line] = csv({ header: trace.header, steps }).split("\r\n");
  assert.match(line, /^0,0,0,,0,\d,,,0\.\d+,0\.\d+,kept,0,,,$/);
  assert.match(pandas(steps[0], ""), /"logit": \[None, /);
  const arrays = await unzipped(await npz({ header: trace.header, steps }));
  assert.ok(Number.isNaN(arrays.logit.values[0]) && arrays.token_id.values[0] === -1);
  assert.deepEqual(arrays.gate_logits.shape, [0, 0]);
});

/** The cells of a CSV text, by RFC 4180. */
function parsed(text) {
  const rows = [[""]];
  for (const [, quotes, plain, separator] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n|$)/g)) {
    const row = rows[rows.length - 1];
    row[row.length - 1] = quotes?.replaceAll('""', '"') ?? plain;
    if (separator === ",") row.push("");
    else if (separator) rows.push([""]);
    else break;
  }
  return rows.slice(0, -1);
}

test("the CSV has a row for every request, and texts come out as they went in", () => {
  for (const prompt of ["M", HOSTILE, "'quoted", "-1", "+1", "@SUM(A1)", "  =1", "\t=1", "＝1", "a,b", '"', ""]) {
    const [head, ...rows] = parsed(csv(withText(prompt)));
    assert.deepEqual(head, COLUMNS);
    assert.equal(rows.length, [...requestRows(trace.steps)].length);
    assert.ok(rows.every((row) => row.length === COLUMNS.length));
    const cell = rows[0][3];
    assert.doesNotMatch(cell, /^\s*[=+\-@＝＋－＠]|^[\t\r\n]/u, "no spreadsheet takes it for a formula");
    assert.equal(cell.replace(/^'/, ""), prompt);
    assert.equal(Buffer.from(rows[0][14], "hex").toString(), prompt);
  }
  assert.equal(quoted('He said "no"'), '"He said ""no"""');
});

/** The arrays of an `.npz` file by name, read byte by byte. */
async function unzipped(blob) {
  const bytes = Buffer.from(await blob.arrayBuffer());
  const end = bytes.lastIndexOf(Buffer.from([0x50, 0x4b, 5, 6]));
  const arrays = {};
  let at = bytes.readUInt32LE(end + 16);
  for (let file = 0; file < bytes.readUInt16LE(end + 10); file += 1) {
    const [method, crc, packed, size] = [10, 16, 20, 24].map((field) => bytes.readUInt32LE(at + field));
    const [name, extra, comment] = [28, 30, 32].map((field) => bytes.readUInt16LE(at + field));
    const local = bytes.readUInt32LE(at + 42);
    const from = local + 30 + bytes.readUInt16LE(local + 26) + bytes.readUInt16LE(local + 28);
    const held = bytes.subarray(from, from + packed);
    const data = (method & 0xffff) === 8 ? inflateRawSync(held) : held;
    assert.deepEqual([data.length, crc32(data)], [size, crc]);
    arrays[bytes.toString("utf8", at + 46, at + 46 + name).replace(/\.npy$/, "")] = array(data);
    at += 46 + name + extra + comment;
  }
  return arrays;
}

function array(data) {
  assert.equal(data.toString("latin1", 0, 8), "\x93NUMPY\x01\x00");
  const start = 10 + data.readUInt16LE(8);
  assert.equal(start % 64, 0);
  const [, type, numbers] = /'descr': '(.+?)', 'fortran_order': False, 'shape': \((.*?),?\)/.exec(
    data.toString("latin1", 10, start),
  );
  const shape = numbers.split(", ").map(Number);
  const count = shape.reduce((product, length) => product * length, 1);
  const width = type.startsWith("<U") ? 4 * Number(type.slice(2)) : type === "|u1" ? 1 : 4;
  assert.equal(data.length - start, count * width);
  const read = {
    "|u1": (at) => data.readUInt8(at),
    "<i4": (at) => data.readInt32LE(at),
    "<f4": (at) => data.readFloatLE(at),
    "<U15": (at) =>
      Array.from({ length: 15 }, (_, char) => String.fromCodePoint(data.readUInt32LE(at + 4 * char))).join(""),
  };
  const values = Array.from({ length: count }, (_, at) => read[type](start + at * width));
  return { type, shape, values: type === "<U15" ? values.map((value) => value.replaceAll("\0", "")) : values };
}

test("the NumPy arrays hold the run, number for number", async () => {
  const arrays = await unzipped(await npz(trace));
  const rows = [...requestRows(trace.steps)];
  for (const name of ["step", "layer", "token", "rank", "expert", "token_id"]) {
    assert.deepEqual(arrays[name], { type: "<i4", shape: [rows.length], values: rows.map((row) => row[name]) });
  }
  for (const name of ["logit", "weight", "loss"]) {
    const expected = rows.map((row) => Math.fround(row[name] ?? Number.NaN));
    assert.deepEqual(arrays[name], { type: "<f4", shape: [rows.length], values: expected });
  }
  assert.deepEqual(arrays.fates.values, FATES);
  assert.deepEqual(
    arrays.fate.values.map((index) => FATES[index]),
    rows.map(({ fate }) => fate),
  );
  const logits = trace.steps.flatMap(({ layers }) => layers.flatMap(({ gate_logits }) => gate_logits.values));
  assert.deepEqual(arrays.gate_logits.shape, [logits.length / 8, 8]);
  assert.deepEqual(arrays.gate_logits.values, logits.map(Math.fround));
  assert.equal(arrays.gate_token.values.length, logits.length / 8);
  const starts = arrays.text_starts.values;
  const written = Buffer.from(arrays.text_bytes.values);
  const tokens = trace.steps[trace.steps.length - 1].tokens;
  assert.deepEqual(
    tokens.map((_, at) => [...written.subarray(starts[at], starts[at + 1])]),
    tokens.map(({ bytes }) => bytes),
  );
  assert.deepEqual(JSON.parse(Buffer.from(arrays.header.values).toString()), trace.header);
});

test("copied Python makes a table of the step, whatever the text", {
  skip: python("json") ? false : "no Python here",
}, () => {
  // In the place of pandas, a module whose tables are their columns.
  const script = `
import json, sys, types
stub = types.ModuleType("pandas"); stub.DataFrame = dict; sys.modules["pandas"] = stub
held = {}; exec(sys.stdin.read(), held)
print(json.dumps(held["requests"]))`;
  const { steps } = withText(HOSTILE);
  const table = python("json")(script, pandas(steps[1], `One line.\nimport os\u2028os.abort()\r"""`));
  const rows = [...requestRows([steps[1]])];
  assert.deepEqual(Object.keys(table), [...COLUMNS]);
  for (const name of COLUMNS)
    assert.deepEqual(
      table[name].map((value) => (typeof value === "number" ? Math.fround(value) : value)),
      rows.map((row) => (typeof row[name] === "number" ? Math.fround(row[name]) : row[name])),
      name,
    );
});

test("a caption says what finds the same picture again", () => {
  const facts = factsOf(trace.header, "https://example.org/#v=1");
  const said = sentences(facts);
  assert.equal(
    said,
    "Model default (weights 35ed1079da0b), a recorded run. Routing top_k k=2 weighting=norm; overflow drop factor=1.25 " +
      "rounding=ceil minimum=1 order=token major priority=position; group this text; seed 7. https://example.org/#v=1",
  );
  const interventions = [
    { kind: "mute", layer: 2, expert: 3 },
    { kind: "swap", layer: 0, experts: [1, 2] },
    { kind: "gate_noise", layer: null, deviation: 0.25 },
  ];
  const changed = factsOf({ ...trace.header, request: { ...trace.header.request, interventions } }, "");
  const inside = "mute layer=2 expert=3; swap layer=0 experts=1,2; gate_noise layer=every deviation=0.25";
  assert.match(sentences(changed), new RegExp(`Changed inside the model: ${inside}\\.$`));
  assert.doesNotMatch(said, /Changed/);
  assert.equal(stepOnScreen(trace, { step: "4" }), trace.steps[4]);
  assert.equal(stepOnScreen(trace, null), trace.steps[trace.steps.length - 1]);
});

/** Codes that another encoder made (Project Nayuki's, in Python), by length of the text, level and mask; as SHA-256. */
const LONG = "https://example.org/#v=1&prompt=café".repeat(120);
/** @type {[number, "L" | "M", number, string][]} */
const KNOWN_CODES = [
  [17, "M", 1, "0d669325b2ffb083a0f5e055581d44f784cb1f9d4171e7bdf420404251f74402"],
  [60, "L", 2, "0994c50592e91a6e2f1717555a4ca674173f4db7c47d32564c66a84d36833ad7"],
  [130, "M", 3, "78a5ec256d92c80121561e723891d5ff44375d6f426ca0f26bfac47addbdaa1b"],
  [250, "L", 4, "9118fdbc06a28bebfa65c14e97add69827ba06ca70328027e80c7a0537194560"],
  [700, "M", 5, "9902796f6a38288ec0e80788c30fe5bf5ec9670c502107620ef818280bb4d1b3"],
  [1500, "L", 6, "a125154ab4035fa6c0b808694adaa6189b5b5d742d2673732242642a750d547f"],
  [2700, "L", 7, "d25a4a6a0b1ab50dc62a119e868db3b6e828c71c8e959be3d0cf81df9d5adbc5"],
];

const drawn = (code) => code.map((row) => row.map((isDark) => (isDark ? "1" : "0")).join("")).join("");

test("QR codes are those of another encoder, module for module", () => {
  for (const [length, level, mask, sha256] of KNOWN_CODES) {
    const code = drawn(qr(LONG.slice(0, length), { level, mask }));
    assert.equal(createHash("sha256").update(code).digest("hex"), sha256, `${length} ${level} ${mask}`);
  }
  const one = `
    111111100101101111111 100000100111001000001 101110101101101011101 101110100101001011101
    101110100010101011101 100000100000101000001 111111101010101111111 000000001101100000000
    111011111111011000100 100000000000001000110 100110110000100010001 110110000100001000110
    010111110100101010100 000000001111010101011 111111101011011101111 100000101111110111000
    101110101011011101101 101110100000001000110 101110101000100010001 100000101000001000110
    111111101100101010111`;
  assert.equal(drawn(qr("h", { level: "L", mask: 0 })), one.replaceAll(/\s/g, ""));
});

test("a link is a code as coarse as it can be, and one that is too long is none", () => {
  const sizes = [10, 200, 800].map((length) => qr("x".repeat(length)).length);
  assert.deepEqual(sizes, [21, 57, 97]);
  assert.equal(qr("x".repeat(2954)), null);
});
