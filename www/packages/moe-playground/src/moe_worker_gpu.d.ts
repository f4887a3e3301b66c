// The engine with WebGPU, which is compiled from the same source.

export { default, MODULE_BYTES, start } from "./moe_worker.js";
