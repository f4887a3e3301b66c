// The application, which is compiled from `web` and lies beside the element once the site is put together.

import type { MoePlaygroundPlaces, MoePlaygroundHandle } from "../index.d.ts";

/** Fetches and compiles the module. */
export default function init(): Promise<unknown>;

/** What `root` holds is a poster: it is removed when there is something better to show. */
export function mount(root: Element, host: HTMLElement, places: MoePlaygroundPlaces): MoePlaygroundHandle;
