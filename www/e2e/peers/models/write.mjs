// All files of a shape, in a folder of its own: ours, and those of the peers.

import { mkdirSync } from "node:fs";
import { join } from "node:path";

import { writeGguf } from "./gguf.mjs";
import { writeOnnx } from "./onnx.mjs";
import { writeOurs } from "./ours.mjs";
import { SHAPES } from "./shapes.mjs";
import { randomWeights } from "./weights.mjs";

const SEED = 7;

/** Writes the files of a shape of `SHAPES` into the folder of its name. */
export function writeModels(folder, name) {
  const shape = SHAPES[name];
  const weights = randomWeights(shape, SEED);
  const here = (file) => join(folder, name, file);
  mkdirSync(here("."), { recursive: true });
  writeOurs(here("."), name, shape, weights);
  for (const kind of ["f32", "q8_0"]) writeGguf(here(`${kind}.gguf`), shape, weights, kind);
  for (const kind of ["gather", "moe", "q8"]) writeOnnx(here(`${kind}.onnx`), shape, weights, kind);
}
