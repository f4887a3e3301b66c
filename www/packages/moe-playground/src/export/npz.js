// A run as NumPy arrays: a `.npz` file, which is a ZIP of `.npy` files. `numpy.load(file)` opens it, without pickles.

import { firstPosition, requestRows } from "../export/rows.js";
import { zip } from "../export/zip.js";

/** In their order: what the numbers of `fate` stand for. Also in the file, as `fates`. */
export const FATES = ["kept", "lost", "skipped", "padding", "null_expert", "below_threshold", "rectified"];

/** The columns of the requests that are numbers, with NumPy's types. What was not recorded is NaN, or −1 in integers. */
const REQUESTS = {
  step: "<i4",
  layer: "<i4",
  token: "<i4",
  rank: "<i4",
  expert: "<i4",
  logit: "<f4",
  probability: "<f4",
  score: "<f4",
  weight: "<f4",
  slot: "<i4",
  loss: "<f4",
  token_id: "<i4",
};

/**
 * The arrays of a run by name. Requests: one number each, as in the CSV, with `fate` as an index into `fates`. Gate: a row
 * for every token of every layer and step, `gate_logits` `[rows, experts]`, and where it belongs (`gate_step`, …).
 * Tokens of the text, as in the last step: `text_ids`, and their bytes one after the other in `text_bytes`, token i from
 * `text_starts[i]` to `text_starts[i + 1]`. `header`: the header of the trace as JSON, in UTF-8 bytes.
 *
 * @param {import("../../types.d.ts").TraceFile} trace
 */
export function arrays({ header, steps }) {
  const rows = [...requestRows(steps)];
  /** @type {Record<string, { type: string, shape: number[], values: ArrayLike<any> }>} */
  const made = {};
  const column = (name, type, values) => (made[name] = { type, shape: [values.length], values });
  for (const [name, type] of Object.entries(REQUESTS)) {
    column(
      name,
      type,
      rows.map((row) => row[name] ?? (type === "<f4" ? Number.NaN : -1)),
    );
  }
  column(
    "fate",
    "<i4",
    rows.map(({ fate }) => FATES.indexOf(fate)),
  );
  column("fates", "<U15", FATES);

  const gate = steps.flatMap((step) =>
    step.layers.filter(({ gate_logits }) => gate_logits).flatMap((layer) => gateRows(step, layer)),
  );
  const numExperts = gate.reduce((most, { logits }) => Math.max(most, logits.length), 0);
  for (const name of ["step", "layer", "token"]) {
    column(
      `gate_${name}`,
      "<i4",
      gate.map((row) => row[name]),
    );
  }
  const padded = ({ logits }) => [...logits, ...Array(numExperts - logits.length).fill(Number.NaN)];
  made.gate_logits = { type: "<f4", shape: [gate.length, numExperts], values: gate.flatMap(padded) };

  const tokens = textOf(steps);
  const starts = [0];
  for (const { bytes = [] } of tokens) starts.push(starts[starts.length - 1] + bytes.length);
  column(
    "text_ids",
    "<i4",
    tokens.map(({ id = -1 }) => id),
  );
  column(
    "text_bytes",
    "|u1",
    tokens.flatMap(({ bytes = [] }) => bytes),
  );
  column("text_starts", "<i4", starts);
  column("header", "|u1", new TextEncoder().encode(JSON.stringify(header)));
  return made;
}

/**
 * @param {import("../../types.d.ts").StepTrace} step
 * @param {any} layer
 */
function gateRows(step, { layer, rows, gate_logits }) {
  const { num_experts, values } = gate_logits;
  return Array.from({ length: values.length / num_experts }, (_, row) => ({
    step: step.step,
    layer,
    token: firstPosition(step) + (rows ? rows[row] : row),
    logits: values.slice(row * num_experts, (row + 1) * num_experts),
  }));
}

/** The tokens by their positions, each as it was seen last. */
function textOf(steps) {
  const tokens = [];
  for (const step of steps) tokens.splice(firstPosition(step), tokens.length, ...step.tokens);
  return tokens;
}

/** The file. */
export async function npz(trace) {
  const files = Object.entries(arrays(trace)).map(([name, array]) => ({ name: `${name}.npy`, bytes: npy(array) }));
  return zip(files);
}

/**
 * An array in NumPy's format 1.0: magic, version, length of the header, the header as a Python literal, the data. The data
 * begin at a multiple of 64 bytes.
 */
export function npy({ type, shape, values }) {
  const tuple = `(${shape.join(", ")}${shape.length === 1 ? "," : ""})`;
  const told = `{'descr': '${type}', 'fortran_order': False, 'shape': ${tuple}, }`;
  const header = `${told.padEnd(Math.ceil((told.length + 11) / 64) * 64 - 11)}\n`;
  const data = dataOf(type, values);
  const bytes = new Uint8Array(10 + header.length + data.length);
  bytes.set([0x93, ...new TextEncoder().encode("NUMPY"), 1, 0, header.length & 255, header.length >> 8]);
  bytes.set(new TextEncoder().encode(header), 10);
  bytes.set(data, 10 + header.length);
  return bytes;
}

/** Little-endian, whatever the machine. */
function dataOf(type, values) {
  if (type === "|u1") return Uint8Array.from(values);
  const width = type.startsWith("<U") ? Number(type.slice(2)) : 1;
  const view = new DataView(new ArrayBuffer(values.length * width * 4));
  for (let at = 0; at < values.length; at += 1) {
    if (type === "<f4") view.setFloat32(at * 4, values[at], true);
    else if (type === "<i4") view.setInt32(at * 4, values[at], true);
    else {
      // Texts of a fixed length, filled up with zeros; a character is 32 bits.
      for (const [to, char] of [...values[at]].entries()) {
        view.setUint32((at * width + to) * 4, char.codePointAt(0) ?? 0, true);
      }
    }
  }
  return new Uint8Array(view.buffer);
}
