/** The learned way back: the small network of `zscape.embedding.learned`. */
import type { MapSpec } from "../scene/manifest";
import type { Scene } from "../scene/source";

/** From a place to a latent vector; weights are read at the first use. */
export function createLearned(scene: Scene, spec: NonNullable<MapSpec["learned"]>) {
  const { middle, spread, scale } = spec;
  const waves = scene.floats(spec.waves);
  const mean = scene.floats(spec.mean);
  const layers = spec.layers.map(({ weight, bias }) => ({
    weight: scene.floats(weight),
    bias: scene.floats(bias),
  }));
  const nWaves = waves.length / 2;

  return (x: number, y: number): Float32Array => {
    const [ax, ay] = [(x - middle[0]) / spread, (y - middle[1]) / spread];
    let values: Float64Array = new Float64Array(2 + 2 * nWaves);
    values[0] = ax;
    values[1] = ay;
    for (let i = 0; i < nWaves; i++) {
      const phase = ax * waves[i] + ay * waves[nWaves + i];
      values[2 + i] = Math.sin(phase);
      values[2 + nWaves + i] = Math.cos(phase);
    }
    layers.forEach(({ weight, bias }, depth) => {
      const sums = affine(weight, bias, values);
      values = depth < layers.length - 1 ? sums.map(silu) : sums;
    });
    return Float32Array.from(values, (value, i) => value * scale + mean[i]);
  };
}

function affine(weight: Float32Array, bias: Float32Array, values: Float64Array): Float64Array {
  const width = values.length;
  const sums = new Float64Array(bias.length);
  for (let out = 0, at = 0; out < sums.length; out++) {
    let sum = bias[out];
    for (let i = 0; i < width; i++, at++) sum += weight[at] * values[i];
    sums[out] = sum;
  }
  return sums;
}

function silu(x: number): number {
  return x / (1 + Math.exp(-x));
}
