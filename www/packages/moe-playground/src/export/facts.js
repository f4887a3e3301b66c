// What identifies a run: enough to find the same picture again. It goes into every picture and into copied tables.

import { marked, say } from "../export/words.js";

/**
 * @import { StepTrace, TraceFile, TraceHeader } from "../../types.d.ts"
 */

/** Where numbers come from, as the page says it. */
const SOURCES = {
  live_gpu: marked("computed live on a GPU"),
  live_cpu: marked("computed live on a CPU"),
  recorded: marked("a recorded run"),
  imported: marked("an imported run"),
};

const WITH_WEIGHTS = marked("Model {model} (weights {hash}), {source}.");
const BY_NAME = marked("Model {model}, {source}.");
const MADE = marked("Routing {rule}; overflow {overflow}; group {group}; seed {seed}.");
const CHANGED = marked("Changed inside the model: {changed}.");

/**
 * @param {TraceHeader} header
 * @param {string} link
 */
export function factsOf({ origin, model, request }, link) {
  const overflow = request?.routing.overflow;
  return {
    source: SOURCES[origin.source],
    model: model?.name ?? origin.model_name ?? "",
    weights_sha256: model?.weights_sha256 ?? "",
    rule: request ? plain(request.routing.router, "rule") : "",
    overflow: overflow ? plain(overflow, "kind") : "",
    group: request ? spaced(request.group) : "",
    changed: (request?.interventions ?? []).map((change) => plain(change, "kind")).join("; "),
    seed: request?.seed ?? null,
    prompt: request?.prompt ?? "",
    link,
  };
}

/** The facts in two or three sentences, for captions; `words` says them in some language. */
export function sentences(facts, words = say) {
  const { source, model, weights_sha256, rule, overflow, group, changed, seed, link } = facts;
  const of = { model, hash: weights_sha256.slice(0, 12), source: words(source) };
  const whose = of.hash ? words(WITH_WEIGHTS, of) : words(BY_NAME, of);
  const made = rule && words(MADE, { rule, overflow, group, seed });
  const inside = changed && words(CHANGED, { changed });
  return [whose, made, inside, link].filter(Boolean).join(" ");
}

/** `{ rule: "top_k", k: 2, weighting: { form: "norm" } }` as `top_k k=2 weighting=norm`. */
function plain(spec, kind) {
  const { [kind]: name, ...rest } = spec;
  const value = (part) => {
    if (part === null) return "every";
    return typeof part === "object" ? Object.values(part).map(value).join(",") : spaced(String(part));
  };
  return [name, ...Object.entries(rest).map(([key, part]) => `${key}=${value(part)}`)].join(" ");
}

const spaced = (name) => name.replaceAll("_", " ");

/**
 * The step on the screen, or the last one.
 *
 * @param {TraceFile} trace
 * @param {Record<string, string | number> | null} state
 * @returns {StepTrace}
 */
export function stepOnScreen({ steps }, state) {
  const shown = Number(state?.step ?? steps.length - 1);
  return steps[Math.min(shown, steps.length - 1)];
}
