// A real Chromium, with WebGPU on the software adapter or without WebGPU, and pages that remember what went wrong.

import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

import { chromium } from "playwright-core";

const NAMES = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome"];

const FLAGS = [
  "--no-sandbox",
  "--no-first-run",
  "--disable-quic",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Without a GPU Chromium gives WebGPU only where it is told to, on its software adapter. */
const WEBGPU_FLAGS = ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"];

/** WebGPU on the machine's own adapter, for benchmarks where there is one. */
const GPU_FLAGS = ["--enable-unsafe-webgpu", "--enable-features=Vulkan", "--ignore-gpu-blocklist"];

/** The rung under test: "webgpu" or "cpu". */
export const RUNG = process.env.MOE_RUNG ?? "webgpu";

/** The installed Chromium: CHROMIUM, or the first one on the search path. */
function findChromium() {
  if (process.env.CHROMIUM) return process.env.CHROMIUM;
  for (const folder of (process.env.PATH ?? "").split(delimiter)) {
    for (const name of NAMES) {
      const file = join(folder, name);
      try {
        accessSync(file, constants.X_OK);
        return file;
      } catch {
        // Not there; the next.
      }
    }
  }
  throw new Error("no Chromium found; install it (Debian: apt-get install chromium) or name it in CHROMIUM");
}

/** A headless browser that stands on the given rung: "webgpu" (software adapter), "gpu" (the machine's) or "cpu". */
export function launch(rung = RUNG) {
  const flags = { webgpu: WEBGPU_FLAGS, gpu: GPU_FLAGS, cpu: [] }[rung];
  if (!flags) throw new Error(`there is no rung "${rung}"; there are webgpu, gpu and cpu`);
  return chromium.launch({ executablePath: findChromium(), args: [...FLAGS, ...flags] });
}

/**
 * A fresh page with `problems`, a list that grows with every console error, uncaught error and failed request.
 * `options` are playwright's context options: viewport, colorScheme, reducedMotion, …
 */
export async function newPage(browser, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
  const page = await context.newPage();
  const problems = [];
  page.on("console", (message) => message.type() === "error" && problems.push(`console: ${message.text()} (${message.location().url})`));
  page.on("pageerror", (error) => problems.push(`uncaught: ${error}`));
  page.on("requestfailed", (request) => problems.push(`failed: ${request.url()} ${request.failure()?.errorText}`));
  page.on("response", (response) => response.status() >= 400 && problems.push(`${response.status()}: ${response.url()}`));
  return { page, problems, close: () => context.close() };
}

/** Waits until an element is in one of these states; returns the state. */
export async function elementState(page, states = ["mounted", "failed"], selector = "moe-playground") {
  const handle = await page.waitForFunction(
    ([selector, states]) => {
      const state = document.querySelector(selector)?.dataset.state;
      return states.includes(state) && state;
    },
    [selector, states],
  );
  return handle.jsonValue();
}
