/** From a list of layers to steps over the kernels' memory, with every shape checked on the way. */
import type { Layer, Pair } from "../scene/manifest";
import { type Scene, SceneError } from "../scene/source";
import { type Arena, grow, type Region } from "./arena";
import { elementwise } from "./elementwise";
import type { Kernels, Window } from "./kernels";
import {
  convPacking,
  convTransposePacking,
  linearPacking,
  type Packing,
  pack,
  packedLength,
  roundUp,
} from "./pack";

/** Computes a layer of `n` pictures. */
export type Step = (kernels: Kernels, n: number) => void;

/** Where a picture is, and in which order: torch's (c, h, w), or channels last, as the kernels want. */
export interface State {
  region: Region;
  shape: readonly number[];
  isChannelsLast: boolean;
}

export interface Plan {
  steps: Step[];
  out: State;
  /** Writes the weights where the steps read them, once; and, each time it changes, what the model is told. */
  load(memory: Float32Array, told: number): void;
}

type Of<K extends Layer["kind"]> = Extract<Layer, { kind: K }>;

/** Rows a product should have at least: below, the weights travel through the cache too often. */
const MIN_ROWS = 64;

export function size(shape: readonly number[]): number {
  return shape.reduce((product, side) => product * side, 1);
}

/** Plans lists of layers that share an arena and a scratch. */
export class Planner {
  readonly scratch: Region = { at: 0, length: 0 };
  private where = "";
  /** What writes the weights of the plan that is being made. */
  private fills: ((memory: Float32Array) => void)[] = [];
  /** And what writes those biases that follow what the model is told. */
  private tellings: ((memory: Float32Array, told: number) => void)[] = [];

  constructor(
    private readonly scene: Scene,
    private readonly arena: Arena,
  ) {}

  /** Results go to and fro between the regions of `pair`; what `start` holds is left as it is. */
  plan(
    name: string,
    layers: readonly Layer[],
    start: State,
    pair: readonly [Region, Region],
  ): Plan {
    const steps: Step[] = [];
    const fills: typeof this.fills = (this.fills = []);
    const tellings: typeof this.tellings = (this.tellings = []);
    let known = -1;
    let state = start;
    for (let i = 0; i < layers.length; i++) {
      const layer = layers[i];
      this.where = `layer ${i + 1} (${layer.kind}) of the ${name}`;
      const to = state.region === pair[0] ? pair[1] : pair[0];
      const wantsLast = layer.kind === "conv" || layer.kind === "convTranspose";
      const other = state.region === pair[0] || state.region === pair[1] ? state.region : pair[1];
      if (needsReorder(state, wantsLast, layer)) {
        state = this.reorder(state, to, steps);
        // What was `to` now holds the input.
        state = this.layer(layer, layers[i + 1], state, other, steps);
      } else {
        state = this.layer(layer, layers[i + 1], state, to, steps);
      }
      if (isFused(layer, layers[i + 1])) i++;
      grow(state.region, size(state.shape));
    }
    const load: Plan["load"] = (memory, told) => {
      fills.splice(0).forEach((fill) => fill(memory));
      if (told !== known) tellings.forEach((tell) => tell(memory, told));
      known = told;
    };
    return { steps, out: state, load };
  }

  private layer(
    layer: Layer,
    next: Layer | undefined,
    state: State,
    to: Region,
    steps: Step[],
  ): State {
    const slope = isFused(layer, next) ? slopeOf(next) : 1;
    switch (layer.kind) {
      case "linear":
        return this.linear(layer, slope, state, to, steps);
      case "conv":
        return this.conv(layer, slope, state, to, steps);
      case "convTranspose":
        return this.convTranspose(layer, slope, state, to, steps);
      case "reshape":
        if (size(layer.shape) !== size(state.shape)) {
          this.fail(`makes (${layer.shape}) of (${state.shape})`);
        }
        return { ...state, shape: layer.shape, isChannelsLast: false };
      case "affine":
        return this.affine(layer, state, to, steps);
      default: {
        const apply = elementwise(layer);
        return this.inPlace(state, to, steps, (memory, at, length) =>
          apply(memory, at, at + length),
        );
      }
    }
  }

  private linear(
    layer: Of<"linear">,
    slope: number,
    state: State,
    to: Region,
    steps: Step[],
  ): State {
    const [out, inn] = this.shapeOf(layer.weight, 2);
    if (state.shape.at(-1) !== inn) this.fail(`takes ${inn} values; it gets (${state.shape})`);
    const weights = this.weights(layer.weight, linearPacking(out, inn));
    const bias = this.bias(layer.bias, out, 1);
    const rows = size(state.shape) / inn;
    const { region } = state;
    steps.push((kernels, n) =>
      kernels.gemm(region.at, weights.at, bias.at, to.at, n * rows, inn, out, slope),
    );
    return { region: to, shape: [...state.shape.slice(0, -1), out], isChannelsLast: false };
  }

  private conv(layer: Of<"conv">, slope: number, state: State, to: Region, steps: Step[]): State {
    const [out, inn, kh, kw] = this.shapeOf(layer.weight, 4);
    const [h, w] = this.picture(state, inn);
    const side = (full: number, kernel: number, i: 0 | 1): number =>
      Math.floor((full + 2 * layer.padding[i] - kernel) / layer.stride[i]) + 1;
    const [oh, ow] = [side(h, kh, 0), side(w, kw, 1)];
    this.checkSides(oh, ow);
    const weights = this.weights(layer.weight, convPacking(out, inn, kh * kw));
    const bias = this.bias(layer.bias, out, 1);
    const { region, shape } = state;
    const { scratch } = this;
    const [k, rows] = [kh * kw * inn, oh * ow];
    const isPointwise = kh * kw === 1 && isPair(layer.stride, 1) && isPair(layer.padding, 0);
    // Where every window is a stretch of the picture, the picture is the matrix already.
    const isWhole = kh === h && kw === w && isPair(layer.padding, 0);
    if (isPointwise || isWhole) {
      steps.push((kernels, n) =>
        kernels.gemm(region.at, weights.at, bias.at, to.at, n * rows, k, out, slope),
      );
    } else {
      const window = windowOf(layer, { h, w, channels: inn, kh, kw, oh, ow });
      const [inSize, outSize, group] = [size(shape), rows * out, Math.ceil(MIN_ROWS / rows)];
      grow(scratch, group * rows * k);
      steps.push((kernels, n) => {
        for (let first = 0; first < n; first += group) {
          const count = Math.min(group, n - first);
          for (let i = 0; i < count; i++) {
            kernels.im2col(region.at + (first + i) * inSize, scratch.at + i * rows * k, window);
          }
          const c = to.at + first * outSize;
          kernels.gemm(scratch.at, weights.at, bias.at, c, count * rows, k, out, slope);
        }
      });
    }
    return { region: to, shape: [out, oh, ow], isChannelsLast: true };
  }

  private convTranspose(
    layer: Of<"convTranspose">,
    slope: number,
    state: State,
    to: Region,
    steps: Step[],
  ): State {
    const [inn, out, kh, kw] = this.shapeOf(layer.weight, 4);
    const [h, w] = this.picture(state, inn);
    const { stride, padding, outputPadding } = layer;
    const oh = (h - 1) * stride[0] - 2 * padding[0] + kh + outputPadding[0];
    const ow = (w - 1) * stride[1] - 2 * padding[1] + kw + outputPadding[1];
    this.checkSides(oh, ow);
    const weights = this.weights(layer.weight, convTransposePacking(inn, out, kh * kw));
    const { region, shape } = state;
    const { scratch } = this;
    const [rows, columns] = [h * w, kh * kw * out];
    if (rows === 1 && isPair(padding, 0) && isPair(outputPadding, 0)) {
      const bias = this.bias(layer.bias, out, kh * kw);
      steps.push((kernels, n) =>
        kernels.gemm(region.at, weights.at, bias.at, to.at, n, inn, columns, slope),
      );
    } else {
      const none = this.bias(null, columns, 1);
      const bias = this.bias(layer.bias, out, 1);
      const window = windowOf(layer, { h, w, channels: out, kh, kw, oh, ow });
      const [inSize, outSize, group] = [size(shape), oh * ow * out, Math.ceil(MIN_ROWS / rows)];
      grow(scratch, group * rows * columns);
      steps.push((kernels, n) => {
        for (let first = 0; first < n; first += group) {
          const count = Math.min(group, n - first);
          const a = region.at + first * inSize;
          kernels.gemm(a, weights.at, none.at, scratch.at, count * rows, inn, columns, 1);
          for (let i = 0; i < count; i++) {
            const from = scratch.at + i * rows * columns;
            kernels.col2im(from, bias.at, to.at + (first + i) * outSize, window, slope);
          }
        }
      });
    }
    return { region: to, shape: [out, oh, ow], isChannelsLast: true };
  }

  private affine(layer: Of<"affine">, state: State, to: Region, steps: Step[]): State {
    const [channels] = this.shapeOf(layer.scale, 1);
    if (state.shape[0] !== channels || this.shapeOf(layer.shift, 1)[0] !== channels) {
      this.fail(`takes ${channels} channels; it gets (${state.shape})`);
    }
    const [scale, shift] = [this.scene.floats(layer.scale), this.scene.floats(layer.shift)];
    const area = state.isChannelsLast ? 1 : size(state.shape) / channels;
    return this.inPlace(state, to, steps, (memory, at, length) => {
      for (let i = 0; i < length; i++) {
        const channel = Math.floor(i / area) % channels;
        memory[at + i] = memory[at + i] * scale[channel] + shift[channel];
      }
    });
  }

  /** In place would overwrite what others still need if the input is not of this plan's own. */
  private inPlace(
    state: State,
    to: Region,
    steps: Step[],
    apply: (memory: Float32Array, at: number, length: number) => void,
  ): State {
    const { region } = state;
    const length = size(state.shape);
    steps.push(({ memory }, n) => {
      memory.copyWithin(to.at, region.at, region.at + n * length);
      apply(memory, to.at, n * length);
    });
    return { ...state, region: to };
  }

  /** To channels last, or back to torch's order. */
  private reorder(state: State, to: Region, steps: Step[]): State {
    const { region, isChannelsLast } = state;
    const channels = state.shape[0];
    const length = size(state.shape);
    const area = length / channels;
    const [slow, fast] = isChannelsLast ? [area, channels] : [channels, area];
    grow(to, length);
    steps.push(({ memory }, n) => {
      for (let i = 0; i < n; i++)
        transpose(memory, region.at + i * length, to.at + i * length, slow, fast);
    });
    return { ...state, region: to, isChannelsLast: !isChannelsLast };
  }

  /** Memory that `fill` writes when the plan is loaded; the rest of it is 0. */
  private constant(length: number, fill: (to: Float32Array) => void): Region {
    const region = this.arena.place({ at: 0, length }, 1);
    this.fills.push((memory) => fill(memory.subarray(region.at, region.at + length)));
    return region;
  }

  private weights(name: string, packing: Packing): Region {
    const { scene } = this;
    const length = packedLength(packing.rows.length, packing.columns.length);
    return this.constant(length, (to) => pack(scene.floats(name), packing, to));
  }

  private bias(name: string | null, length: number, times: number): Region {
    if (name === null) return this.constant(roundUp(length * times), () => undefined);
    const isTold = this.scene.manifest.blocks[name]?.shape.length === 2;
    const width = this.shapeOf(name, isTold ? 2 : 1).at(-1);
    if (width !== length) this.fail(`has ${length} outputs; its bias has ${width}`);
    const put = (to: Float32Array, values: Float32Array): void => {
      for (let i = 0; i < times; i++) to.set(values, i * length);
    };
    if (!isTold) {
      return this.constant(roundUp(length * times), (to) => put(to, this.scene.floats(name)));
    }
    const region = this.constant(roundUp(length * times), () => undefined);
    this.tellings.push((memory, told) =>
      put(
        memory.subarray(region.at, region.at + length * times),
        this.scene.floats(name).subarray(told * length, (told + 1) * length),
      ),
    );
    return region;
  }

  private picture(state: State, channels: number): [number, number] {
    const [c, h, w] = state.shape;
    if (state.shape.length !== 3 || c !== channels) {
      this.fail(`takes pictures of ${channels} channels; it gets (${state.shape})`);
    }
    return [h, w];
  }

  private checkSides(oh: number, ow: number): void {
    if (oh < 1 || ow < 1) this.fail(`would make pictures of ${oh}×${ow}`);
  }

  private shapeOf(name: string, rank: number): number[] {
    const shape = this.scene.manifest.blocks[name]?.shape;
    if (!shape) this.fail(`needs the block “${name}”, which is missing`);
    if (shape.length !== rank) this.fail(`needs “${name}” with ${rank} axes; it has (${shape})`);
    return shape;
  }

  private fail(what: string): never {
    throw new SceneError(`The network of this scene does not fit together: ${this.where} ${what}.`);
  }
}

function needsReorder(state: State, wantsLast: boolean, layer: Layer): boolean {
  const [channels] = state.shape;
  const isSame = state.shape.length < 2 || channels === 1 || size(state.shape) === channels;
  if (isSame || state.isChannelsLast === wantsLast) return false;
  return wantsLast ? state.shape.length === 3 : layer.kind === "linear" || layer.kind === "reshape";
}

function transpose(
  memory: Float32Array,
  from: number,
  to: number,
  slow: number,
  fast: number,
): void {
  for (let i = 0; i < slow; i++) {
    for (let j = 0; j < fast; j++) memory[to + j * slow + i] = memory[from + i * fast + j];
  }
}

/** A leaky ReLU after a product costs nothing: it is applied as the sums are stored. */
function isFused(layer: Layer, next: Layer | undefined): next is Of<"leakyRelu"> | Of<"relu"> {
  const isProduct =
    layer.kind === "linear" || layer.kind === "conv" || layer.kind === "convTranspose";
  return isProduct && (next?.kind === "leakyRelu" || next?.kind === "relu");
}

function slopeOf(layer: Of<"leakyRelu"> | Of<"relu">): number {
  return layer.kind === "relu" ? 0 : layer.slope;
}

function isPair(pair: Pair, value: number): boolean {
  return pair[0] === value && pair[1] === value;
}

function windowOf(
  { stride: [sy, sx], padding: [py, px] }: { stride: Pair; padding: Pair },
  sides: Pick<Window, "h" | "w" | "channels" | "kh" | "kw" | "oh" | "ow">,
): Window {
  return { ...sides, sy, sx, py, px };
}
