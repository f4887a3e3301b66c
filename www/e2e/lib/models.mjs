// A site with several models, made from the one it has: the same weights under other names and routing rules.

/** An entry of `models/index.json`. */
const entry = (name, title, rule) => ({
  name,
  title,
  folder: name,
  download_bytes: 3_769_829,
  num_parameters: 3_478_656,
  num_active_parameters: 1_119_360,
  num_experts: 8,
  rule,
});

/** The model that comes with the page, a twin that routes by token id, and one whose files are not there. */
export const MODELS = [
  entry("default", "top-2 of 8, balanced", "top_k:2"),
  entry("twin", "hash: the expert follows from the token id", "hash:seed=0"),
  entry("gone", "a model that is not there", "switch"),
];

/**
 * Serves MODELS on a page. `slowly(file)` is awaited before a file of the twin is answered.
 *
 * @param {(file: string) => unknown} slowly
 */
export async function withModels(page, slowly = async () => {}) {
  const context = page.context();
  await context.route(/\/models\/index\.json$/, (route) => route.fulfill({ json: MODELS }));
  await context.route(/\/models\/gone\//, (route) => route.fulfill({ status: 404, body: "" }));
  await context.route(/\/models\/twin\//, async (route) => {
    const file = new URL(route.request().url()).pathname.split("/").at(-1);
    await slowly(file);
    const response = await route.fetch({ url: route.request().url().replace("/models/twin/", "/models/default/") });
    if (file !== "manifest.json") return route.fulfill({ response });
    const manifest = await response.json();
    const trained_routing = { ...manifest.trained_routing, router: { rule: "hash", seed: 0 } };
    return route.fulfill({ json: { ...manifest, name: "twin", trained_routing } });
  });
}
