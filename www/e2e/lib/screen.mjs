// Numbers as the figure writes them, to be compared with its trace.

/**
 * In the shadow tree: counts of the text's title, of the table of layers, of the selected layer's lanes, and the
 * equation's terms.
 */
function read(host) {
  const root = host.shadowRoot;
  const all = (selector, within = root) => [...within.querySelectorAll(selector)];
  const strip = root.querySelector(".panel-strip .finding").textContent;
  const [, lost, requests] = strip.match(/^(\d+) of (\d+) requests/) ?? [null, 0, strip.match(/(\d+) requests/)?.[1]];
  const lane = (lane) => {
    const [asked, slots, turnedAway] = lane
      .getAttribute("aria-label")
      .match(/(\d+) requests?, (\d+) slots?, (\d+) turned away/)
      .slice(1);
    return {
      asked: Number(asked),
      slots: Number(slots),
      turnedAway: Number(turnedAway),
      drawnInside: all(".slots .slot:not(.is-free)", lane).length,
      // Of a long queue all are in the list behind their number.
      drawnOutside: Math.max(all(".queue .slot", lane).length, all(".turned-away li", lane).length),
    };
  };
  const layer = (row) => {
    const [lost, dropped] = all("td", row).map((cell) => Number(cell.textContent));
    return { lost, dropped };
  };
  const term = ({ textContent }) => (Number.isNaN(Number(textContent)) ? textContent : Number(textContent));
  return {
    requests: { lost: Number(lost), requests: Number(requests) },
    layers: all(".layer-table tbody tr").map(layer),
    lanes: all(".lane").map(lane),
    equation: all(".formula .term b").map(term),
  };
}

/** `{ requests, layers, lanes, equation }` of what is on the screen now. */
export function screenNumbers(figure) {
  return figure.host.evaluate(read);
}
