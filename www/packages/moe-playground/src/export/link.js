// The address of the picture on the screen in the full page: what a reader copies, cites and scans.

/** The folder of the full page: assets lie in a folder of it. */
const PAGE = new URL("../../", import.meta.url);

/**
 * `state`: what `getState()` gave; the page reads it back. The version is the page's (`web/src/settings/shown.rs`).
 *
 * @param {import("../../index.d.ts").MoePlaygroundState | null} state
 */
export function linkOf(state) {
  const told = Object.entries({ v: "1", ...state }).map(([name, text]) => `${name}=${encodeURIComponent(text)}`);
  return `${PAGE.href}#${told.join("&")}`;
}
