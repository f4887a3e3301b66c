// A run as CSV (RFC 4180): a header, then a row for every request.
//
// Spreadsheets take a cell for a formula that begins with certain signs, and the text of a prompt is anybody's. So a text
// that begins with one (blanks before it do not count), or with an apostrophe, gets an apostrophe before it, which
// spreadsheets do not show. Who reads the file by a program takes one leading apostrophe off, and has the exact text;
// `bytes` has it in any case. Texts are always in quotes, numbers never: those may begin with a minus.

import { COLUMNS, requestRows, shortest } from "../export/rows.js";

/** What may begin a formula, or would be taken off as our own mark. */
const DANGEROUS = /^\s*['=+\-@＝＋－＠]|^[\t\r\n]/u;

/** @param {import("../../types.d.ts").TraceFile} trace */
export function csv({ steps }) {
  const lines = [COLUMNS.join(",")];
  for (const row of requestRows(steps)) lines.push(COLUMNS.map((name) => cell(name, row[name])).join(","));
  return `${lines.join("\r\n")}\r\n`;
}

function cell(name, value) {
  if (value === null) return "";
  if (typeof value === "number") return String(shortest(value));
  return name === "text" || name === "bytes" ? quoted(value) : value;
}

/** @param {string} text */
export function quoted(text) {
  const safe = DANGEROUS.test(text) ? `'${text}` : text;
  return `"${safe.replaceAll('"', '""')}"`;
}
