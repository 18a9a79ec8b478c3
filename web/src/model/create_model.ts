/** The network of a scene, ready to run in the page. */
import type { ModelSpec } from "../scene/manifest";
import { type Encoded, type Scene, SceneError } from "../scene/source";
import { Arena, type Region } from "./arena";
import { createKernels } from "./create_kernels";
import { continuousBernoulliMean, sigmoid } from "./elementwise";
import type { Engine, Kernels } from "./kernels";
import type { Model } from "./model";
import { type Plan, Planner, type State, size } from "./plan";

type EncoderPart = "trunk" | "mu" | "logvar";

/** Pictures that are computed at once, if they are small: more only leave the cache. */
const MAX_BATCH = 16;
/** Floats that intermediate pictures of one batch may take. */
const MAX_FLOATS = 4_000_000;

/**
 * The scene's network; null if the page cannot run it (`manifest.model` is null).
 *
 * @param engines Which arithmetic may be used, the best first; all by default.
 * @throws SceneError if its layers do not fit together.
 */
export async function createModel(
  scene: Scene,
  engines?: readonly Engine[],
): Promise<Model | null> {
  const { model: spec, imageShape, latentDim } = scene.manifest;
  if (!spec) return null;
  const arena = new Arena();
  const planner = new Planner(scene, arena);
  const regions = [0, 1, 2].map(
    (): Region => ({ at: 0, length: Math.max(latentDim, size(imageShape)) }),
  );
  const [first, ...others] = regions as [Region, Region, Region];
  const [image, vector] = [imageShape, [latentDim]].map(
    (shape): State => ({ region: first, shape, isChannelsLast: false }),
  );
  const encoder = spec.encoder && planEncoder(spec.encoder);
  const decoder = planner.plan("decoder", spec.decoder, vector, others);
  checkOut("decoder makes pictures", decoder, imageShape);
  if (encoder) {
    checkOut("encoder makes means", encoder.mu, [latentDim]);
    checkOut("encoder makes log-variances", encoder.logvar, [latentDim]);
  }

  const perImage = regions.reduce((sum, region) => sum + region.length, 0);
  const batch = Math.max(1, Math.min(MAX_BATCH, Math.floor(MAX_FLOATS / perImage)));
  for (const region of regions) arena.place(region, batch);
  arena.place(planner.scratch, 1);
  const kernels = await createKernels(arena.length, engines);
  const start = scene.manifest.condition?.first ?? 0;
  decoder.load(kernels.memory, start);
  const mean = spec.mean === "sigmoid" ? sigmoid : continuousBernoulliMean;
  const nPixels = size(imageShape);

  function decode(z: Float32Array, n: number, told = start): Float32Array {
    checkLength("z", z, n, latentDim);
    decoder.load(kernels.memory, told);
    const pixels = new Float32Array(n * nPixels);
    for (let i = 0; i < n; i += batch) {
      const count = Math.min(batch, n - i);
      kernels.memory.set(z.subarray(i * latentDim, (i + count) * latentDim), first.at);
      run(decoder, kernels, count);
      read(decoder.out, kernels, count, pixels.subarray(i * nPixels));
    }
    for (let i = 0; i < pixels.length; i++) pixels[i] = mean(pixels[i]);
    return pixels;
  }

  function planEncoder(spec: NonNullable<ModelSpec["encoder"]>): Record<EncoderPart, Plan> {
    const trunk = planner.plan("encoder", spec.trunk, image, others);
    const free = regions.filter((region) => region !== trunk.out.region) as [Region, Region];
    const mu = planner.plan("encoder’s head", spec.mu, trunk.out, free);
    const logvar = planner.plan("encoder’s second head", spec.logvar, trunk.out, free);
    return { trunk, mu, logvar };
  }

  function encode(
    { trunk, mu, logvar }: Record<EncoderPart, Plan>,
    x: Float32Array,
    n: number,
    told = start,
  ): Encoded {
    checkLength("x", x, n, nPixels);
    // The first picture need not wait for weights that only a drawing needs.
    for (const plan of [trunk, mu, logvar]) plan.load(kernels.memory, told);
    const posterior = {
      mu: new Float32Array(n * latentDim),
      logvar: new Float32Array(n * latentDim),
    };
    for (let i = 0; i < n; i += batch) {
      const count = Math.min(batch, n - i);
      kernels.memory.set(x.subarray(i * nPixels, (i + count) * nPixels), first.at);
      run(trunk, kernels, count);
      run(mu, kernels, count);
      read(mu.out, kernels, count, posterior.mu.subarray(i * latentDim));
      run(logvar, kernels, count);
      read(logvar.out, kernels, count, posterior.logvar.subarray(i * latentDim));
    }
    return posterior;
  }

  return {
    ...{ latentDim, imageShape, engine: kernels.engine, decode },
    encode: encoder && ((x, n, told) => encode(encoder, x, n, told)),
  };
}

function run({ steps }: Plan, kernels: Kernels, n: number): void {
  for (const step of steps) step(kernels, n);
}

/** Out of the kernels' memory, in torch's order. */
function read(
  { region, shape, isChannelsLast }: State,
  { memory }: Kernels,
  n: number,
  to: Float32Array,
): void {
  const length = size(shape);
  const [channels] = shape;
  if (!isChannelsLast || channels === 1) {
    to.set(memory.subarray(region.at, region.at + n * length));
    return;
  }
  const area = length / channels;
  for (let i = 0, at = region.at; i < n; i++) {
    for (let pixel = 0; pixel < area; pixel++) {
      for (let c = 0; c < channels; c++) to[i * length + c * area + pixel] = memory[at++];
    }
  }
}

function checkOut(what: string, { out }: Plan, wanted: readonly number[]): void {
  // (d, 1, 1) and (d) lie in memory alike, but a picture must have its sides.
  const isSame =
    out.shape.length === wanted.length && out.shape.every((side, i) => side === wanted[i]);
  if (!isSame) {
    throw new SceneError(
      `The network and the scene do not belong together: the ${what} of (${out.shape.join(", ")}); ` +
        `the scene’s are (${wanted.join(", ")}).`,
    );
  }
}

function checkLength(name: string, values: Float32Array, n: number, each: number): void {
  if (values.length !== n * each) {
    throw new RangeError(`${name} must hold ${n} × ${each} numbers; it holds ${values.length}.`);
  }
}
