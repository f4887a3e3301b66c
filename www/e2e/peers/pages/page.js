// Our engine in the whole page, which draws every step.

import { textOf } from "../models/letters.js";

/** The page has its model and backend from the element's attributes. */
export async function load() {
  const figure = document.querySelector("moe-playground");
  await figure.load();
  let told = 0;
  figure.addEventListener("moe-step", () => (told += 1));
  return {
    /** Which tokens it writes is not asked: that would be counted too. */
    async write(prompt, count) {
      const wanted = String(count - 1);
      // A changed attribute runs the model by itself, once: not within what is measured, where all calls are alike.
      if (figure.getAttribute("max-tokens") !== wanted) figure.setAttribute("max-tokens", wanted);
      told = 0;
      await figure.run(textOf(prompt));
      if (told === 0) throw new Error("no step was told");
      return [];
    },
  };
}
