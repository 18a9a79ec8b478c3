/** An explorer over a small scene, with a network that answers with sums. */

import type { Model } from "../src/model/model";
import { loadScene } from "../src/scene/load_scene";
import type { Condition } from "../src/scene/manifest";
import type { DataSource } from "../src/scene/source";
import { change } from "../src/state/change";
import { createExplorer } from "../src/state/create_explorer";
import { createDecoder } from "../src/state/decoder";
import type { Explorer } from "../src/state/explorer";
import { memorySource, smallScene } from "./helpers/scenes";

/** Every pixel of a picture is the sum of its vector and of what is told. */
function decodeSums(z: Float32Array, n: number, told = 0): Float32Array {
  const d = z.length / n;
  return Float32Array.from({ length: 16 * n }, (_, i) => {
    const row = Math.floor(i / 16);
    return z.subarray(row * d, (row + 1) * d).reduce((sum, value) => sum + value, told);
  });
}

export async function smallExplorer(
  n = 30,
  d = 3,
  other: Partial<DataSource> = {},
  condition?: Condition,
): Promise<Explorer> {
  const { manifest, bytes } = smallScene(n, d);
  if (condition) manifest.condition = condition;
  const explorer = createExplorer(await loadScene({ ...memorySource(manifest, bytes), ...other }), {
    isDark: false,
    tools: ["walk", "pan", "lasso", "path"],
    tabs: ["neurons", "path"],
  });
  const model: Model = {
    latentDim: d,
    imageShape: manifest.imageShape,
    engine: "typescript" as const,
    decode: decodeSums,
    encode: (_: Float32Array, m: number) => ({
      mu: new Float32Array(m * d),
      logvar: new Float32Array(m * d),
    }),
  };
  change(explorer, "decoder", createDecoder(model, explorer.scene.source));
  return explorer;
}
