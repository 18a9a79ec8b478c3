/** Every layer against torch, on every engine that runs here. */
import { describe, expect, test } from "vitest";
import { Arena } from "../src/model/arena";
import { createKernels } from "../src/model/create_kernels";
import { createModel } from "../src/model/create_model";
import { ENGINES, type Engine } from "../src/model/kernels";
import { Planner } from "../src/model/plan";
import type { Layer } from "../src/scene/manifest";
import text from "./fixtures/networks.json?raw";
import { type Encoded, floatsOf, networkScene } from "./helpers/scenes";

interface Network {
  name: string;
  layers: Layer[];
  blocks: Record<string, Encoded>;
  x: Encoded;
  y: Encoded;
}

const networks: Network[] = JSON.parse(text);

/** The layers as a decoder of "pictures" with as many numbers as come out, without sigmoid. */
async function run(network: Network, engine: Engine, n: number, told = [0]): Promise<Float32Array> {
  const scene = networkScene({} as never, network.blocks, [1, 1, 1], 1);
  const arena = new Arena();
  const planner = new Planner(scene, arena);
  const regions = [0, 1, 2].map(() => ({ at: 0, length: 0 }));
  const x = floatsOf(network.x);
  const length = x.length / network.x.shape[0];
  regions[0].length = length;
  const start = { region: regions[0], shape: network.x.shape.slice(1), isChannelsLast: false };
  const flat: Layer = { kind: "reshape", shape: [floatsOf(network.y).length / network.x.shape[0]] };
  const plan = planner.plan("network", [...network.layers, flat], start, [regions[1], regions[2]]);
  for (const region of regions) arena.place(region, n);
  arena.place(planner.scratch, 1);
  const kernels = await createKernels(arena.length, [engine]);
  for (const each of told) plan.load(kernels.memory, each);
  kernels.memory.set(x.subarray(0, n * length), regions[0].at);
  for (const step of plan.steps) step(kernels, n);
  const { at } = plan.out.region;
  return kernels.memory.slice(at, at + n * flat.shape[0]);
}

function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let largest = 0;
  for (let i = 0; i < a.length; i++) {
    const difference = Math.abs(a[i] - b[i]);
    if (!(difference <= largest)) largest = difference;
  }
  return largest;
}

describe.each(ENGINES)("%s", (engine) => {
  test.each(networks.map((network) => [network.name, network] as const))(
    "%s",
    async (_, network) => {
      const y = await run(network, engine, network.x.shape[0]);
      const wanted = floatsOf(network.y);
      expect(y.length).toBe(wanted.length);
      expect(largestDifference(y, wanted)).toBeLessThan(5e-6);
    },
  );

  test.each(networks.map((network) => [network.name, network] as const))(
    "%s: one picture alone is the same",
    async (_, network) => {
      const alone = await run(network, engine, 1);
      const wanted = floatsOf(network.y).subarray(0, alone.length);
      expect(largestDifference(alone, wanted)).toBeLessThan(5e-6);
    },
  );
});

/** The network with another bias of its first layer that has one, or null. */
function withBias(network: Network, change: (bias: Float32Array) => Encoded): Network | null {
  const layer = network.layers.find((each) => "bias" in each && each.bias !== null);
  if (!layer || !("bias" in layer)) return null;
  const changed = change(floatsOf(network.blocks[layer.bias!]));
  return { ...network, blocks: { ...network.blocks, [layer.bias!]: changed } };
}

const encoded = (values: Float32Array, shape: number[]): Encoded => ({
  shape,
  base64: btoa(String.fromCharCode(...new Uint8Array(values.buffer))),
});

describe.each(ENGINES)("what a model is told, on %s", (engine) => {
  const told = networks.flatMap((network) => {
    const plain = withBias(network, (bias) =>
      encoded(
        bias.map((b) => b + 1),
        [bias.length],
      ),
    );
    const both = withBias(network, (bias) =>
      encoded(Float32Array.from([...bias, ...bias.map((b) => b + 1)]), [2, bias.length]),
    );
    return plain && both ? [[network.name, network, plain, both] as const] : [];
  });
  test.each(told)("%s: is the row of its bias, back and forth", async (_, first, second, both) => {
    const [one, other] = await Promise.all([run(first, engine, 1), run(second, engine, 1)]);
    expect(largestDifference(one, other)).toBeGreaterThan(1e-3);
    expect(await run(both, engine, 1, [0])).toEqual(one);
    expect(await run(both, engine, 1, [0, 1])).toEqual(other);
    expect(await run(both, engine, 1, [1, 0])).toEqual(one);
  });
});

test("a network whose layers do not fit is refused in a sentence", async () => {
  const network = networks.find(({ name }) => name === "linear") as Network;
  const model = {
    encoder: { trunk: [], mu: [], logvar: [] },
    decoder: network.layers,
    mean: "sigmoid" as const,
  };
  const scene = networkScene(model, network.blocks, [1, 2, 2], 4);
  await expect(createModel(scene)).rejects.toThrow(
    /layer 1 \(linear\) of the decoder takes 5 values; it gets \(4\)/,
  );
});
