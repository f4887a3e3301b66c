// A chart of somebody else's making beside a figure: what the figure's events tell, drawn by Chart.js.

import { Chart, Legend, LinearScale, LineController, LineElement, PointElement } from "chart.js";
import { MoePlayground } from "moe-playground";
import "./article.css";

// Where `moe-playground copy` put the element's files, relative to the page.
MoePlayground.assets = "moe-playground/assets/";

Chart.register(Legend, LinearScale, LineController, LineElement, PointElement);

const figure = document.querySelector("moe-playground");
const [slider, room] = [document.querySelector("input"), document.querySelector("b")];
const COLOURS = ["#c0391b", "#3b5b92", "#7a7f2a", "#7b4b94", "#1f7a6d", "#8a5a2b"];

const axis = (text, more) => ({ type: "linear", title: { display: true, text }, ...more });
const chart = new Chart(document.querySelector("canvas"), {
  type: "line",
  data: { datasets: [] },
  options: {
    animation: false,
    maintainAspectRatio: false,
    parsing: false,
    scales: { x: axis("tokens in the text"), y: axis("requests turned away, %", { beginAtZero: true }) },
  },
});

/** Part of all requests of a step, in percent, that found no slot. */
function turnedAway({ layers }) {
  const requests = layers.flatMap(({ routing }) => routing.assignments);
  return (100 * requests.filter(({ fate }) => fate === "lost").length) / requests.length;
}

/** The line of a run: another run begins another one. */
function lineOf(run) {
  const { datasets } = chart.data;
  const known = datasets.find((line) => line.run === run);
  if (known) return known;
  const colour = COLOURS[datasets.length % COLOURS.length];
  const label = `room ${figure.capacityFactor}`;
  datasets.push({ run, label, data: [], borderColor: colour, backgroundColor: colour, borderWidth: 2, pointRadius: 0 });
  return datasets.at(-1);
}

// The run that the page was delivered with has the number 0; the reader's own count from 1.
figure.addEventListener("moe-step", ({ detail }) => {
  if (detail.run === 0) return;
  lineOf(detail.run).data.push({ x: detail.tokens.length, y: turnedAway(detail) });
  chart.update();
});

figure.addEventListener("moe-finished", ({ detail }) => {
  const line = chart.data.datasets.find(({ run }) => run === detail.run);
  const end = line?.data.at(-1);
  if (!end) return;
  const row = document.querySelector("tbody").insertRow();
  for (const text of [line.label.replace("room ", ""), String(end.x), `${end.y.toFixed(1)} %`]) {
    row.insertCell().textContent = text;
  }
});

slider.addEventListener("change", () => {
  room.textContent = slider.value;
  figure.capacityFactor = Number(slider.value);
});
