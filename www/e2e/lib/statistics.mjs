// Medians and how far the samples lie apart.

/** `{ median, min, max }` of the numbers in a list; null if there are none. */
export function summary(values) {
  const sorted = values.filter(Number.isFinite).sort((a, b) => a - b);
  if (sorted.length === 0) return null;
  const middle = (sorted.length - 1) / 2;
  const median = (sorted[Math.floor(middle)] + sorted[Math.ceil(middle)]) / 2;
  return { median, min: sorted[0], max: sorted.at(-1) };
}

/** "12.3 (11.9 to 14)"; a dash where nothing was measured. */
export function number(summary) {
  if (!summary) return "–";
  const text = (value) => String(Number(value.toPrecision(3)));
  const { median, min, max } = summary;
  return min === max ? text(median) : `${text(median)} (${text(min)} to ${text(max)})`;
}
