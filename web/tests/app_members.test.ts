/** Scenes with members: put together, changed over to, and side by side. */
import { describe, expect, it } from "vitest";
import { loadScene } from "../src/scene/load_scene";
import type { Manifest, Member } from "../src/scene/manifest";
import type { Scene } from "../src/scene/source";
import { chooseRow, setColor, setCurrent, setNeuron, undo } from "../src/state/actions";
import { followNetworks, membersHere, setMember } from "../src/state/actions_members";
import { pick } from "../src/state/actions_selection";
import { addressOf, openHash, writeAddress } from "../src/state/address";
import { createExplorer } from "../src/state/create_explorer";
import { createDecoder, type Decoder } from "../src/state/decoder";
import { link } from "../src/state/link";
import { memorySource, smallScene } from "./helpers/scenes";

const N = 30;
const OFFER = { isDark: false, tools: ["walk"], tabs: ["neurons"] };

/** The small scene twice, with `d` and `d2` neurons, and as many images in the second as in the first unless told. */
function twoMembers(d: number, d2: number, n2 = N) {
  const first = smallScene(N, d);
  const second = smallScene(n2, d2);
  const bytes = { ...first.bytes };
  const blocks = { ...first.manifest.blocks };
  const isShared = (name: string) => n2 === N && ["indices", "thumbnails", "labels"].includes(name);
  const renamed = (value: unknown): unknown => {
    if (typeof value === "string")
      return value in second.manifest.blocks && !isShared(value) ? `1.${value}` : value;
    if (Array.isArray(value)) return value.map(renamed);
    if (typeof value !== "object" || !value) return value;
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, renamed(each)]));
  };
  for (const [name, block] of Object.entries(second.manifest.blocks)) {
    if (isShared(name)) continue;
    blocks[`1.${name}`] = block;
    bytes[`1.${name}`] = second.bytes[name]!;
  }
  const { latentDim, points, neurons, maps, prototypes, model } = second.manifest;
  const own = renamed({
    latentDim,
    points,
    neurons,
    maps,
    prototypes,
    model,
  }) as Member["manifest"];
  const manifest: Manifest = {
    ...first.manifest,
    blocks,
    members: {
      by: "model",
      first: 0,
      isFilm: false,
      list: [
        { label: "one", loss: 3, manifest: {} },
        { label: "two", loss: null, manifest: { ...own, title: "two", why: null } },
      ],
    },
  };
  return { manifest, bytes };
}

async function load(d = 3, d2 = 3, n2 = N): Promise<Scene> {
  const { manifest, bytes } = twoMembers(d, d2, n2);
  return loadScene(memorySource(manifest, bytes));
}

/** Of every member a network whose pixels are its number and the first value of the vector. */
const networks = (scene: Scene): Decoder =>
  createDecoder(
    {
      latentDim: scene.manifest.latentDim,
      imageShape: scene.manifest.imageShape,
      engine: "typescript" as const,
      decode: (z, n) => new Float32Array(16 * n).fill(scene.member * 10 + z[0]!),
      encode: (x, n) => ({
        mu: new Float32Array(scene.manifest.latentDim * n).fill(x[0]!),
        logvar: new Float32Array(scene.manifest.latentDim * n),
      }),
    },
    scene.source,
  );

async function open(...sizes: [number?, number?, number?]) {
  const scene = await load(...sizes);
  const explorer = createExplorer(scene, OFFER);
  followNetworks(explorer, networks);
  return explorer;
}

describe("members of a scene", () => {
  it("are whole scenes, and one without them is its own", async () => {
    const scene = await load(3, 2);
    expect(scene.members.map(({ manifest }) => manifest.latentDim)).toEqual([3, 2]);
    expect(scene.members.map(({ manifest }) => manifest.title)).toEqual([
      scene.manifest.title,
      "two",
    ]);
    const { manifest, bytes } = smallScene(N, 3);
    const alone = await loadScene(memorySource(manifest, bytes));
    expect(alone.members).toEqual([alone]);
    expect(alone.about).toBeNull();
  });

  it.each([
    [(m: Manifest) => m.members!.list.splice(0), "a list with a member in it"],
    [(m: Manifest) => (m.members!.first = 2), "members.first"],
    [(m: Manifest) => (m.members!.list[1].manifest.latentDim = 5), "do not belong together"],
    [(m: Manifest) => (m.members!.list[0].label = 3 as unknown as string), "members.list[0].label"],
  ])("are checked as scenes are (%#)", async (damage, sentence) => {
    const { manifest, bytes } = twoMembers(3, 2);
    damage(manifest);
    await expect(loadScene(memorySource(manifest, bytes))).rejects.toThrow(sentence);
  });
});

describe("another member", () => {
  it("keeps the picture of the data one looks at, in its own space and by its own network", async () => {
    const explorer = await open(3, 2);
    chooseRow(explorer, 4);
    expect(explorer.picture.value![0]).toBeCloseTo(explorer.mu[12]);
    setMember(explorer, 1);
    expect(explorer.dim).toBe(2);
    expect([...explorer.current.value.z]).toEqual([...explorer.mu.subarray(8, 10)]);
    expect(explorer.picture.value![0]).toBeCloseTo(10 + explorer.mu[8]);
    expect(explorer.latentMap().places.coordinates).toHaveLength(2 * N);
    expect(explorer.place.value.x).toBeCloseTo(explorer.latentMap().places.coordinates[8]);
  });

  it("keeps any other vector where it has as many neurons", async () => {
    const explorer = await open(3, 3);
    setCurrent(explorer, Float32Array.of(1, 2, 3), { kind: "random" });
    setMember(explorer, 1);
    expect([...explorer.current.value.z]).toEqual([1, 2, 3]);
    expect(explorer.picture.value![0]).toBe(11);
  });

  it("takes the picture nearest to a vector that it cannot have", async () => {
    const explorer = await open(3, 2);
    setCurrent(explorer, Float32Array.of(1, 2, 3), { kind: "random" });
    const { row } = explorer.nearest.value;
    setMember(explorer, 1);
    expect(explorer.current.value.origin).toEqual({ kind: "row", row });
  });

  it("has no colour and no undo of neurons that it has not", async () => {
    const explorer = await open(3, 2);
    setColor(explorer, "z2");
    chooseRow(explorer, 3);
    chooseRow(explorer, 5);
    setMember(explorer, 1);
    expect(explorer.color.value).not.toBe("z2");
    undo(explorer);
    expect(explorer.current.value.z).toHaveLength(2);
  });

  it("shows the same frame, which holds all members", async () => {
    const explorer = await open(3, 3);
    const { frame } = explorer.latentMap().places;
    setMember(explorer, 1);
    expect(explorer.latentMap().places.frame).toEqual(frame);
    const { bounds } = explorer.latentMap().places;
    expect(frame.x0).toBeLessThanOrEqual(bounds.x0);
    expect(frame.y1).toBeGreaterThanOrEqual(bounds.y1);
  });

  it("is in the link, with vectors of its own neurons", async () => {
    const explorer = await open(3, 2);
    setMember(explorer, 1);
    setCurrent(explorer, Float32Array.of(0.5, -1), { kind: "random" });
    const hash = `#${writeAddress(addressOf(explorer))}`;
    const again = await open(3, 2);
    openHash(again, hash, false);
    expect(again.member.value).toBe(1);
    expect([...again.current.value.z]).toEqual([0.5, -1]);
    openHash(again, "#member=7", false);
    expect(again.member.value).toBe(1);
  });

  it("is none of other images", async () => {
    const explorer = await open(3, 3, 12);
    expect(membersHere(explorer)).toEqual([0]);
    setMember(explorer, 1);
    expect(explorer.member.value).toBe(0);
  });
});

describe("side by side", () => {
  async function both(d2 = 2) {
    const one = await open(3, d2);
    const other = createExplorer(one.scene.members[1], OFFER);
    followNetworks(other, networks);
    const stop = link(one, other);
    return { one, other, stop };
  }

  it("pictures of the data, selections, filters and what is pointed at are of both", async () => {
    const { one, other, stop } = await both();
    chooseRow(one, 7);
    expect(other.current.value.origin).toEqual({ kind: "row", row: 7 });
    chooseRow(other, 8);
    expect(one.current.value.origin).toEqual({ kind: "row", row: 8 });
    pick(other, [1, 2]);
    expect(one.selection.value).toEqual([1, 2]);
    stop();
    pick(one, [3]);
    expect(other.selection.value).toEqual([1, 2]);
  });

  it("sliders are apart", async () => {
    const { one, other } = await both();
    chooseRow(one, 2);
    const before = other.current.value;
    setNeuron(one, 0, 5);
    expect(other.current.value).toBe(before);
  });

  it("of a picture from elsewhere the other shows what it makes of it, and sends nothing back", async () => {
    const { one, other } = await both();
    setCurrent(one, Float32Array.of(4, 0, 0), { kind: "random" });
    expect([...other.current.value.z]).toEqual([4, 4]); // the pixels that came
    expect([...one.current.value.z]).toEqual([4, 0, 0]);
  });
});
