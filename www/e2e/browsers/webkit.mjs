// WebKitGTK's MiniBrowser under a screen that nobody sees, driven over WebDriver's plain HTTP.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";

/**
 * A WebKitGTK with one page. `program` is its driver.
 *
 * @param {string} program
 * @returns {Promise<import("./browser.mjs").Browser>}
 */
export async function webkit(program) {
  const port = await freePort();
  // As root, as on a machine for tests, its own sandbox cannot be set up.
  const env = { ...process.env, WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS: "1", LIBGL_ALWAYS_SOFTWARE: "1" };
  const driver = spawn("xvfb-run", ["--auto-servernum", program, `--port=${port}`], {
    env,
    stdio: "ignore",
    detached: true,
  });
  const end = () => {
    // The driver, its screen and its browser are one group.
    if (driver.exitCode === null) process.kill(-driver.pid, "SIGTERM");
  };
  const ask = async (method, path, body) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      method,
      body: body && JSON.stringify(body),
      headers: { "Content-Type": "application/json" },
    });
    const { value } = await response.json();
    if (!response.ok) throw new Error(`${method} ${path}: ${value.error}: ${value.message}`);
    return value;
  };
  try {
    await answering(() => ask("GET", "/status"));
    // Without another name the driver starts the MiniBrowser that came with it.
    const { sessionId } = await ask("POST", "/session", { capabilities: {} });
    const session = `/session/${sessionId}`;
    await ask("POST", `${session}/timeouts`, { script: 120_000, pageLoad: 120_000 });
    return {
      goto: (url) => ask("POST", `${session}/url`, { url }),
      evaluate: (work, ...values) => {
        const script = `const done = arguments[arguments.length - 1];
          Promise.resolve((${work})(...[...arguments].slice(0, -1))).then(
            (value) => done({ value }), (error) => done({ error: String(error) }));`;
        return ask("POST", `${session}/execute/async`, { script, args: values }).then(({ value, error }) => {
          if (error) throw new Error(error);
          return value;
        });
      },
      close: async () => {
        await ask("DELETE", session).catch(() => {});
        end();
        await once(driver, "exit");
      },
    };
  } catch (error) {
    end();
    throw error;
  }
}

/** A port that nobody uses at this moment. */
async function freePort() {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  server.close();
  await once(server, "close");
  return port;
}

/** Waits until a server answers that is being started. */
async function answering(ask) {
  for (let left = 100; ; left -= 1) {
    try {
      return await ask();
    } catch (error) {
      if (left === 0) throw error;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}
