// A step as a few lines of Python that make a pandas table of it: to be pasted into a notebook.
//
// The text of a token is anybody's. JSON's strings are Python's, so nothing of it can leave its quotes.

import { COLUMNS, requestRows, shortest } from "../export/rows.js";

/**
 * @param {import("../../types.d.ts").StepTrace} step
 * @param {string} caption - whole sentences on where the numbers come from
 */
export function pandas(step, caption) {
  const rows = [...requestRows([step])];
  const columns = COLUMNS.map((name) => `    "${name}": [${rows.map((row) => literal(row[name])).join(", ")}],\n`);
  // A line of its own each, whatever counts as the end of one.
  const comments = caption.split(/[\p{Cc}\u2028\u2029]+/u).map((line) => `# ${line}\n`);
  return `import pandas as pd\n\n${comments.join("")}requests = pd.DataFrame({\n${columns.join("")}})\n`;
}

function literal(value) {
  if (value === null) return "None";
  return typeof value === "number" ? String(shortest(value)) : JSON.stringify(value);
}
