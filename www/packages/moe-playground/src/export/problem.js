// A promise that is not kept, in the three sentences that `moe-error` has as well.

/** @import { UserError } from "../../types.d.ts" */

export class MoePlaygroundError extends Error {
  /** @param {UserError} sentences */
  constructor({ what, why, try_this }) {
    super(`${what} ${why} ${try_this}`);
    this.name = "MoePlaygroundError";
    this.what = what;
    this.why = why;
    this.try_this = try_this;
  }
}

/** For what needs a run where there is none yet. */
export function nothingToSee() {
  return new MoePlaygroundError({
    what: "There is nothing to save yet.",
    why: "The figure has no run.",
    try_this: "Wait for load() or run().",
  });
}
