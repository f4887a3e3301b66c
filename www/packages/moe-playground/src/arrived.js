// Why a file of the playground itself could not be used: looks at what arrives in its place. Asked only after a failure.

/** @import { UserError } from "../types.d.ts" */

const AGAIN = "Check the connection and try again; what is shown here needs no more files.";
const RELOAD = "Reload the page. If this stays so, files are missing where they are served from.";
const HOST = "Only the people who run the host of these files can mend that.";

/** What a security policy forbade last, where it forbade something. */
let forbidden = "";
addEventListener("securitypolicyviolation", (event) => {
  forbidden = event.violatedDirective;
});

/** An error in the words of the browser, without its stack. */
export function raw(error) {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}

/**
 * An error for people, where its cause is one that stays however often one tries; else null. `url` is the file that was
 * asked for when `error` came.
 *
 * @param {string} what
 * @param {string} url
 * @param {unknown} error
 * @returns {Promise<UserError | null>}
 */
export async function explained(what, url, error) {
  const name = new URL(url).pathname.split("/").at(-1) ?? url;
  const told = (why, try_this) => ({ what, why, try_this, details: `${raw(error)} (${url})` });
  if (forbidden || /polic|unsafe-eval/i.test(raw(error))) {
    return told(
      `The security policy of the page around it forbids ${name}.`,
      "The policy must allow what docs/EMBEDDING.md lists.",
    );
  }
  let response;
  try {
    response = await fetch(url, { cache: "no-cache" });
  } catch {
    return told(`Nothing came back for ${name}: no connection, or its host lets no other site read it.`, AGAIN);
  }
  const { ok, status, headers } = response;
  if (status === 404 || status === 410) {
    return told(`There is no ${name} any more (status ${status}): the site was probably updated meanwhile.`, RELOAD);
  }
  if (!ok) return told(`Its host answered for ${name} with status ${status}.`, status < 500 ? HOST : AGAIN);
  const bytes = await response.arrayBuffer().catch(() => null);
  if (!bytes) return told(`The connection ended before ${name} was whole.`, AGAIN);
  const head = new TextDecoder("latin1").decode(bytes.slice(0, 256)).trimStart().toLowerCase();
  if (/^(<!doctype|<html|<\?xml)/.test(head)) return told(`Instead of ${name} a web page arrived.`, RELOAD);
  if (head.startsWith("version https://git-lfs")) return told(`Instead of ${name} a Git LFS pointer arrived.`, HOST);
  const type = headers.get("Content-Type")?.split(";")[0] ?? "";
  if (name.endsWith(".js") && !/javascript|ecmascript/.test(type)) {
    return told(
      `${name} came as ${type || "a file without a type"}; browsers run scripts as text/javascript only.`,
      HOST,
    );
  }
  if (name.endsWith(".wasm") && error instanceof WebAssembly.CompileError) {
    return told(`${name} arrived damaged or cut off.`, RELOAD);
  }
  return null;
}
