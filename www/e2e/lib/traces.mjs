// Traces as numbers: short recorded runs to begin with, and what a test expects to see of a step.

/** `{ header, steps }` of the recorded run that comes with the page; its steps whole. */
export async function defaultTrace(url) {
  const response = await fetch(new URL("traces/default.jsonl", url));
  return fromJsonLines(await response.text());
}

/** A trace file as `{ header, steps }`; its steps whole. */
export function fromJsonLines(text) {
  const [header, ...sent] = text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  const steps = [];
  for (const step of sent) steps.push(whole(step, steps.at(-1)));
  return { header, steps };
}

/** A step with the rows that are as in the step before, where it was sent without them. */
function whole({ input_start_position, ...step }, previous) {
  if (input_start_position === undefined) return step;
  const kept = input_start_position - step.first_position;
  const layers = step.layers.map(({ gate_logits, routing, ...layer }, at) => {
    const before = previous.layers[at];
    const values = before.gate_logits.values.slice(0, kept * gate_logits.num_experts);
    const assignments = before.routing.assignments.filter(({ token }) => token < kept);
    return {
      ...layer,
      gate_logits: { ...gate_logits, values: [...values, ...gate_logits.values] },
      routing: { ...routing, assignments: [...assignments, ...routing.assignments] },
    };
  });
  return { ...step, tokens: [...previous.tokens.slice(0, kept), ...step.tokens], layers };
}

/** The same run, asked for this many new tokens: a live run follows its request. It has no more steps than there were. */
export function withNewTokens({ header, steps }, newTokens) {
  const kept = steps.slice(0, newTokens + 1);
  if (kept.length === newTokens + 1)
    kept[newTokens] = { ...kept[newTokens], next: { ...kept[newTokens].next, chosen: null } };
  return { header: { ...header, request: { ...header.request, max_new_tokens: newTokens } }, steps: kept };
}

/** As a trace file. */
export function toJsonLines({ header, steps }) {
  return `${[header, ...steps].map((line) => JSON.stringify(line)).join("\n")}\n`;
}

/** What a step decided: everything that must be the same wherever it is computed. */
export function decisions({ tokens, layers, next }) {
  return {
    tokens: tokens.map(({ id }) => id),
    layers: layers.map(({ routing: { capacity, assignments } }) => ({
      capacity,
      requests: assignments.map(({ token, rank, expert, fate, slot }) => ({ token, rank, expert, fate, slot })),
    })),
    chosen: next.chosen?.id ?? null,
  };
}

/** `{ requests, lost, dropped }` of a layer's routing: requests, lost ones, and tokens that lost all of theirs. */
export function layerTotals({ assignments }) {
  const lost = assignments.filter(({ fate }) => fate === "lost");
  const isServed = new Set(assignments.filter(({ fate }) => fate === "kept").map(({ token }) => token));
  const dropped = new Set(lost.map(({ token }) => token).filter((token) => !isServed.has(token)));
  return { requests: assignments.length, lost: lost.length, dropped: dropped.size };
}

/** The same over all layers of a step. */
export function stepTotals({ layers }) {
  const totals = { requests: 0, lost: 0, dropped: 0 };
  for (const { routing } of layers) {
    const { requests, lost, dropped } = layerTotals(routing);
    totals.requests += requests;
    totals.lost += lost;
    totals.dropped += dropped;
  }
  return totals;
}

/** Mean loss in nats of the tokens that both steps begin with, in each of the two. */
export function sharedLoss(before, now) {
  const differing = now.tokens.findIndex(({ id }, token) => id !== before.tokens[token]?.id);
  const shared = differing < 0 ? now.tokens.length : differing;
  const mean = ({ tokens }) => {
    const losses = tokens
      .slice(0, shared)
      .map(({ loss }) => loss)
      .filter((loss) => loss !== null);
    return losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
  };
  return { before: mean(before), now: mean(now) };
}

/** The bytes of tokens as text. */
export function textOf(tokens) {
  return Buffer.from(tokens.flatMap(({ bytes }) => bytes)).toString("utf8");
}

/** A value with every number as the 32-bit number that it stands for. */
export function in32Bits(value) {
  if (typeof value === "number") return Math.fround(value);
  if (Array.isArray(value)) return value.map(in32Bits);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, in32Bits(entry)]));
}

/**
 * A large run of one step, in which nobody is turned away: made-up gate logits, each token with the `k` experts that have
 * the largest. `like` gives it a header; the same numbers give the same run.
 *
 * @param {{ header: any }} like
 * @param {{ tokens: number, layers: number, experts: number, k?: number }} size
 */
export function largeTrace({ header }, { tokens, layers, experts, k = 2 }) {
  let state = 1;
  // Park and Miller's generator: whole numbers below 2^31, exact in JavaScript.
  const uniform = () => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647;
  };
  const normal = () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
  const words = Array.from({ length: tokens }, (_, at) => ` w${at % 50}`);
  const routing = {
    router: { ...header.request.routing.router, k },
    overflow: { kind: "dropless" },
  };
  const model = {
    ...header.model,
    name: "large",
    num_layers: layers,
    num_experts: experts,
    max_tokens: Math.max(tokens, header.model.max_tokens),
    trained_routing: routing,
  };
  const routes = {
    ...header.routes,
    num_layers: layers,
    top_k: k,
    moe_layer_ids: Array.from({ length: layers }, (_, layer) => layer),
    num_experts: { exactly: experts },
  };
  const request = { ...header.request, prompt: words.join(""), max_new_tokens: 0, routing };
  const ofLayer = (layer) => {
    const slots = new Array(experts).fill(0);
    const [values, assignments] = [[], []];
    for (let token = 0; token < tokens; token += 1) {
      const row = Array.from({ length: experts }, () => Math.fround(2 * normal()));
      values.push(...row);
      const sum = row.reduce((sum, logit) => sum + Math.exp(logit), 0);
      const chosen = row.map((_, expert) => expert).sort((a, b) => row[b] - row[a] || a - b);
      const raw = chosen.slice(0, k).map((expert) => Math.exp(row[expert]) / sum);
      const kept = raw.reduce((sum, weight) => sum + weight, 0);
      for (const [rank, weight] of raw.entries()) {
        const expert = chosen[rank];
        const place = { token, rank, expert, weight: weight / kept, weight_raw: weight };
        assignments.push({ ...place, fate: "kept", slot: slots[expert] });
        slots[expert] += 1;
      }
    }
    const decided = { num_tokens: tokens, num_experts: experts, capacity: null, assignments };
    return { layer, gate_logits: { num_experts: experts, values }, routing: decided };
  };
  const step = {
    run: request.run,
    step: 0,
    first_position: 0,
    next: { candidates: [], chosen: null },
    tokens: words.map((word, at) => ({
      id: at % 50,
      bytes: [...Buffer.from(word)],
      loss: at === 0 ? null : 2,
    })),
    layers: Array.from({ length: layers }, (_, layer) => ofLayer(layer)),
  };
  const origin = { ...header.origin, source: "imported" };
  return { header: { ...header, origin, routes, model, request }, steps: [step] };
}
