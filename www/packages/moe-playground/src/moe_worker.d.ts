// The engine, which is compiled from `crates/moe-worker` and lies beside the worker's bootstrap once the site is put together.

/** Fetches and compiles the module. */
export default function init(): Promise<unknown>;

/** Listens to the page from now on. */
export function start(): void;
