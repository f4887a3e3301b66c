// The address of the picture on the screen: what a reader copies, cites and scans.

/** The folder of the full page: assets lie in a folder of it. */
const PAGE = new URL("../../", import.meta.url);

/**
 * In the full page; of a figure, which is some panels, that figure by itself, with the same ones. `state`: what `getState()` gave; the page reads it back. The version is the page's (`web/src/settings/shown.rs`).
 *
 * @param {import("../../index.d.ts").MoePlaygroundState | null} state
 */
export function linkOf(state) {
  if (state?.view) return frameAddress({ v: "1", ...state });
  const told = Object.entries({ v: "1", ...state }).map(([name, text]) => `${name}=${encodeURIComponent(text)}`);
  return `${PAGE.href}#${told.join("&")}`;
}

/**
 * The figure by itself: the same names as the tag has, as parameters.
 *
 * @param {Record<string, string | number>} attributes
 */
export function frameAddress(attributes) {
  const address = new URL("embed.html", PAGE);
  for (const [name, value] of Object.entries(attributes)) address.searchParams.set(name, String(value));
  return address.href;
}
