// A chart of a few lines, both axes logarithmic, as SVG that can be read on a light and on a dark page.

const [WIDTH, HEIGHT] = [640, 360];
const [LEFT, RIGHT, TOP, BOTTOM] = [56, 190, 16, 44];
/** They can be told apart by those who see no colors: each also has its own dashes. */
const STROKES = [
  { color: "#888888", dashes: "" },
  { color: "#d95f02", dashes: "" },
  { color: "#1b9e77", dashes: "6 3" },
  { color: "#7570b3", dashes: "2 3" },
];

/**
 * The file's text. A point is `[x, y]`, both above 0; the names of the axes say their units. Names stand at the lines'
 * ends.
 *
 * @param {{ x: string, y: string, lines: { name: string, points: number[][] }[] }} chart
 */
export function lineChart({ x, y, lines }) {
  const points = lines.flatMap((line) => line.points);
  const across = scale(
    points.map(([x]) => x),
    LEFT,
    WIDTH - RIGHT,
  );
  const up = scale(
    points.map(([, y]) => y),
    HEIGHT - BOTTOM,
    TOP,
  );
  const [bottom, end] = [HEIGHT - BOTTOM, WIDTH - RIGHT];
  const parts = [
    ...lines[0].points.map(([x]) => text(across(x), bottom + 16, `${x}`, "middle")),
    ...ticks(points.map(([, y]) => y)).flatMap((value) => [
      `<path d="M${LEFT} ${up(value)}H${end}" stroke="#888888" stroke-opacity="0.3"/>`,
      text(LEFT - 6, up(value) + 4, `${value}`, "end"),
    ]),
    text((LEFT + end) / 2, HEIGHT - 6, x, "middle"),
    text(LEFT, TOP - 4, y, "middle"),
    ...lines.map(({ points }, at) => {
      const path = points.map(([x, y]) => `${across(x)} ${up(y)}`).join("L");
      const { color, dashes } = STROKES[at % STROKES.length];
      return `<path d="M${path}" fill="none" stroke="${color}" stroke-width="2" stroke-dasharray="${dashes}"/>`;
    }),
    ...apart(lines.map(({ points }) => up(points.at(-1)[1]))).map((at, line) =>
      text(end + 8, at + 4, lines[line].name, "start", STROKES[line % STROKES.length].color),
    ),
  ];
  const head = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">`;
  return `${[head, `<title>${y} by ${x}</title>`, ...parts, "</svg>"].join("\n")}\n`;
}

/** From a logarithm to a place between two. */
function scale(values, from, to) {
  const [low, high] = [Math.min(...values), Math.max(...values)].map(Math.log);
  return (value) => Math.round(10 * (from + ((Math.log(value) - low) / (high - low)) * (to - from))) / 10;
}

/** 1, 2 and 5 times the powers of ten between the least and the greatest. */
function ticks(values) {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const tens = Array.from({ length: 9 }, (_, at) => 10 ** (at - 4));
  const all = tens.flatMap((ten) => [1, 2, 5].map((times) => Number((times * ten).toPrecision(1))));
  return all.filter((value) => value >= low && value <= high);
}

/** Places of names, from above to below, moved down where two would touch. */
function apart(places) {
  const order = [...places.keys()].sort((one, other) => places[one] - places[other]);
  const moved = [...places];
  for (const [at, line] of order.entries()) {
    if (at > 0) moved[line] = Math.max(moved[line], moved[order[at - 1]] + 14);
  }
  return moved;
}

function text(x, y, words, anchor, color = "#888888") {
  return `<text x="${x}" y="${y}" text-anchor="${anchor}" fill="${color}">${words}</text>`;
}
