// The requests of each run, as they come: one line for every request of every token.

export default async function* requests({ figure }) {
  const next = () => new Promise((resolve) => figure.addEventListener("moe-step", resolve, { once: true }));
  for (;;) {
    const { detail } = await next();
    yield detail.layers.flatMap(({ layer, routing }) => routing.assignments.map((request) => ({ layer, ...request })));
  }
}
