// What a page under test has beside the browser's own: the element, its events, and what tests keep on the window.

import type { MoePlaygroundEventMap } from "../../packages/moe-playground/index.d.ts";

declare global {
  interface Window {
    // biome-ignore lint/suspicious/noExplicitAny: each test keeps what it likes.
    [name: `moe${string}`]: any;
  }
  interface WindowEventMap extends MoePlaygroundEventMap {}
}
