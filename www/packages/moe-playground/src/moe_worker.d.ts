// The engine on the CPU, which is compiled from `crates/moe-worker` and lies beside the worker's bootstrap once the site is put together.

/** Fetches and compiles the module. */
export default function init(options?: { module_or_path: string | URL | Response }): Promise<unknown>;

/** The size of the module, which a host that compresses it does not tell. */
export const MODULE_BYTES: number | undefined;

/** Listens to the page from now on. */
export function start(): void;
