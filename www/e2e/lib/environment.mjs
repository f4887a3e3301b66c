// What `cargo xtask` tells the scripts of this folder: where the site is, which browser to use, and its switches.

/** The value of a variable that xtask sets. */
function told(name) {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set: run this by \`cargo xtask\` test e2e, shots or bench`);
  return value;
}

/** The site's address; it ends in a slash. */
export const SITE_URL = told("MOE_URL");

/** The browser's program. */
export const CHROMIUM = told("CHROMIUM");

/** Switches that give WebGPU on the software adapter, where there is no GPU. */
export const WEBGPU_FLAGS = told("MOE_WEBGPU_FLAGS").split(" ");

/** The rung under test: "webgpu" or "cpu". */
export const RUNG = process.env.MOE_RUNG ?? "webgpu";
