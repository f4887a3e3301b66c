// The npm package as `cargo xtask package` writes it, packed and installed in an empty project; and projects that use it.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

export const run = promisify(execFile);

/** What the tests bring along: the bundlers and libraries of the examples, pinned. */
const TOOLS = fileURLToPath(new URL("../node_modules", import.meta.url));
const EXAMPLES = fileURLToPath(new URL("../../examples", import.meta.url));

/** An empty project with the package in it, and nothing else: `{ folder, remove }`. */
export async function emptyProject() {
  const built = process.env.MOE_PACKAGE;
  assert.ok(built, "MOE_PACKAGE names the folder of the package");
  const folder = await mkdtemp(join(tmpdir(), "moe-playground-"));
  await run("npm", ["pack", built, "--pack-destination", folder]);
  const [tarball] = (await readdir(folder)).filter((name) => name.endsWith(".tgz"));
  await writeFile(join(folder, "package.json"), JSON.stringify({ name: "empty", private: true, type: "module" }));
  await run("npm", ["install", "--offline", "--no-audit", "--no-fund", `./${tarball}`], { cwd: folder });
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) };
}

/**
 * A copy of an example inside `project`, with everything that its package.json names in the versions it names. Returns its
 * folder and a function that runs one of its scripts.
 */
export async function exampleProject(project, name) {
  const folder = join(project, name);
  await cp(join(EXAMPLES, name), folder, { recursive: true });
  const { dependencies, devDependencies } = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
  for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies })) {
    const ours = join(project, "node_modules", name);
    const source = name === "moe-playground" ? ours : join(TOOLS, name);
    const installed = JSON.parse(await readFile(join(source, "package.json"), "utf8"));
    assert.equal(installed.version, version.replace("^", ""), `the example's ${name} is the one it is tested with`);
    const link = join(folder, "node_modules", name);
    await mkdir(dirname(link), { recursive: true });
    await symlink(source, link);
  }
  const programs = [join(project, "node_modules/.bin"), join(TOOLS, ".bin"), process.env.PATH].join(delimiter);
  const script = (name) => run("npm", ["run", name], { cwd: folder, env: { ...process.env, PATH: programs } });
  return { folder, script };
}
