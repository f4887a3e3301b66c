// A run as a trace file: JSON lines that the attribute `trace` opens again, number for number.

import { shortest } from "../export/rows.js";

/** @param {import("../../types.d.ts").TraceFile} trace */
export function jsonLines({ header, steps }) {
  const line = (value) => JSON.stringify(value, (_, part) => (typeof part === "number" ? shortest(part) : part));
  return `${[header, ...steps].map(line).join("\n")}\n`;
}
