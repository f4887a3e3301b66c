// How many requests each layer turned away: again whenever the cell above has another value.

export default function layers({ requests }) {
  const list = document.createElement("ol");
  list.start = 0;
  for (const layer of new Set(requests.map(({ layer }) => layer))) {
    const ofLayer = requests.filter((request) => request.layer === layer);
    const lost = ofLayer.filter(({ fate }) => fate === "lost").length;
    const item = document.createElement("li");
    item.textContent = `${lost} of ${ofLayer.length}`;
    list.append(item);
  }
  return list;
}
