// Shows the cells of an article: the code of each, and below it its value. A cell is called again when one that it names
// has another value, as in Observable's notebooks.

const NAMES = ["figure", "requests", "layers"];

/** The values so far, by the names of their cells. */
const values = {};

async function show(name) {
  const place = document.getElementById(name);
  const address = new URL(`cells/${name}.js`, import.meta.url);
  const [code, cell] = await Promise.all([fetch(address).then((answer) => answer.text()), import(address.href)]);
  place.querySelector("code").textContent = code.trim();
  return { name, place, cell: cell.default };
}

/** Calls a cell, and those that follow it with each of its values. */
async function evaluate([first, ...rest]) {
  if (!first) return;
  const { name, place, cell } = first;
  const draw = async (value) => {
    values[name] = value;
    if (value instanceof Node) place.querySelector(".value").replaceChildren(value);
    await evaluate(rest);
  };
  const value = cell(values);
  if (!value[Symbol.asyncIterator]) return draw(await value);
  for await (const one of value) draw(one);
}

evaluate(await Promise.all(NAMES.map(show)));
