// What axe-core finds wrong for readers with a screen reader, a keyboard or other colours: nothing, at any depth, width,
// theme, and with forced colours.

import assert from "node:assert/strict";
import { test } from "node:test";
import axe from "axe-core";

import { openFigure } from "../lib/figure.mjs";
import { suite } from "../lib/suite.mjs";

const site = suite();

/** Findings of any severity, as `rule at place: what is wrong`. */
async function findings(page) {
  const violations = await page.evaluate(async () => {
    const { violations } = await globalThis.axe.run(document, { resultTypes: ["violations"] });
    return violations.map(({ id, nodes }) => ({
      id,
      nodes: nodes.map(({ target, any, all, none }) => ({
        target,
        why: [...any, ...all, ...none].map(({ message }) => message),
      })),
    }));
  });
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ target, why }) => `${id} at ${target.flat(2).join(" ")}: ${why.join("; ")}`),
  );
}

for (const depth of ["story", "inspect", "lab"]) {
  test(`axe finds nothing at the depth ${depth}`, async (t) => {
    // A run of one's own: at the depth of the lab some panels are about it.
    // Nothing is caught while it moves.
    const { page, figure } = await openFigure(site, t, { attributes: { depth }, reducedMotion: "reduce" });
    await figure.live();
    await figure.finished();
    await page.evaluate(axe.source);
    for (const width of [1440, 768, 390]) {
      await page.setViewportSize({ width, height: 900 });
      for (const theme of ["light", "dark", "forced"]) {
        await page.emulateMedia({
          colorScheme: theme === "dark" ? "dark" : "light",
          forcedColors: theme === "forced" ? "active" : "none",
        });
        assert.deepEqual(await findings(page), [], `${width} px, ${theme}`);
      }
    }
  });
}
