// The application, which is compiled from `web` and lies beside the element once the site is put together.

import type { MoePlaygroundPlaces, MoePlaygroundHandle } from "../index.d.ts";
import type { Routing } from "../types.d.ts";

/** Fetches and compiles the module. */
export default function init(options?: { module_or_path: string }): Promise<unknown>;

/** What `root` holds is a poster: it is removed when there is something better to show. */
export function mount(root: Element, host: HTMLElement, places: MoePlaygroundPlaces): MoePlaygroundHandle;

/** Routes gate logits, `[tokens, experts]`, row-major. Throws a `UserError`. */
export function routeLogits(
  numExperts: number,
  values: Float32Array,
  router: string,
  capacityFactor?: number,
  policy?: string,
): Routing;
