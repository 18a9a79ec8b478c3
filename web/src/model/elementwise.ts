/** Functions of one number each, over a stretch of memory. */
import type { Layer } from "../scene/manifest";

type Apply = (memory: Float32Array, from: number, to: number) => void;

export function elementwise(
  layer: Exclude<Layer, { weight: string } | { scale: string } | { shape: number[] }>,
): Apply {
  switch (layer.kind) {
    case "relu":
      return each((x) => Math.max(x, 0));
    case "leakyRelu": {
      const { slope } = layer;
      return each((x) => (x > 0 ? x : slope * x));
    }
    case "tanh":
      return each(Math.tanh);
    case "sigmoid":
      return each(sigmoid);
    case "softBound": {
      const { bound } = layer;
      return each((x) => softBound(x, bound));
    }
  }
}

function each(f: (x: number) => number): Apply {
  return (memory, from, to) => {
    for (let i = from; i < to; i++) memory[i] = f(memory[i]);
  };
}

export function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}

/** The identity up to ±bound, beyond it a logarithm: `zscape.model.layers.soft_bound`. */
export function softBound(x: number, bound: number): number {
  const size = Math.abs(x);
  return size <= bound ? x : Math.sign(x) * (bound + Math.log1p(size - bound));
}

/** Below this |logit| the exact form is 0/0; see `zscape.model.likelihoods.ContinuousBernoulli`. */
const SEAM = 0.25;

/** Mean of the continuous Bernoulli, 1 / (1 - e^-l) - 1 / l in the logit l. */
export function continuousBernoulliMean(logit: number): number {
  const size = Math.abs(logit);
  if (size < SEAM) {
    const square = logit * logit;
    const series = 1 / 12 - square * (1 / 720 - square * (1 / 30240 - square / 1209600));
    return 0.5 + logit * series;
  }
  return 0.5 + Math.sign(logit) * (-1 / Math.expm1(-size) - 1 / size - 0.5);
}
