// A real Chromium, with WebGPU on the software adapter or without WebGPU, and pages that remember what went wrong.

import { chromium } from "playwright-core";

import { CHROMIUM, RUNG, WEBGPU_FLAGS } from "./environment.mjs";

/** A host whose address is this machine's. */
export const LAN_NAME = "playground.lan";

const FLAGS = [
  "--no-sandbox",
  "--no-first-run",
  "--disable-quic",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  // A name as machines in a house have them: to a browser, plain http from there is not secure.
  `--host-resolver-rules=MAP ${LAN_NAME} 127.0.0.1`,
];

/** WebGPU on the machine's own adapter, for benchmarks where there is one. */
const GPU_FLAGS = ["--enable-unsafe-webgpu", "--enable-features=Vulkan", "--ignore-gpu-blocklist"];

/** A headless browser that stands on the given rung: "webgpu" (software adapter), "gpu" (the machine's) or "cpu". */
export function launch(rung = RUNG) {
  const flags = { webgpu: WEBGPU_FLAGS, gpu: GPU_FLAGS, cpu: [] }[rung];
  if (!flags) throw new Error(`there is no rung "${rung}"; there are webgpu, gpu and cpu`);
  return chromium.launch({ executablePath: CHROMIUM, args: [...FLAGS, ...flags] });
}

/**
 * A fresh page with `problems`, a list that grows with every console error, uncaught error and failed request.
 * `options` are playwright's context options: viewport, colorScheme, reducedMotion, …
 */
export async function newPage(browser, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
  const page = await context.newPage();
  const problems = [];
  page.on(
    "console",
    (message) => message.type() === "error" && problems.push(`console: ${message.text()} (${message.location().url})`),
  );
  page.on("pageerror", (error) => problems.push(`uncaught: ${error}`));
  page.on("requestfailed", (request) => problems.push(`failed: ${request.url()} ${request.failure()?.errorText}`));
  page.on(
    "response",
    (response) => response.status() >= 400 && problems.push(`${response.status()}: ${response.url()}`),
  );
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
