import type { Encoded } from "../scene/source";
import type { Engine } from "./kernels";

/** A network that runs in the page. Synchronous: a single picture takes under a millisecond. */
export interface Model {
  readonly latentDim: number;
  readonly imageShape: [number, number, number];
  /** Which arithmetic it runs on here. */
  readonly engine: Engine;
  /**
   * z (n, latentDim) → pixels (n, c, h, w) in [0, 1]. The answer is the caller's to keep.
   *
   * @param told what the pictures are, to a model that is told: a number in `manifest.condition.names`.
   */
  decode(z: Float32Array, n: number, told?: number): Float32Array;
  /** Pixels (n, c, h, w) in [0, 1] → both (n, latentDim); null where the scene has no encoder. */
  readonly encode: ((x: Float32Array, n: number, told?: number) => Encoded) | null;
}
