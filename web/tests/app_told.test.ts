// @vitest-environment happy-dom
/** A model that is told what pictures are: the choice, what follows it, and where it is kept. */
import { describe, expect, it } from "vitest";
import { loadScene } from "../src/scene/load_scene";
import type { Condition } from "../src/scene/manifest";
import type { Shared, SharedState } from "../src/scene/source";
import { redo, setDecoder, setNeuron, setTold, undo } from "../src/state/actions";
import { addressOf, applyAddress, readAddress, writeAddress } from "../src/state/address";
import { createDecoder } from "../src/state/decoder";
import { followShared } from "../src/state/shared";
import { smallExplorer } from "./app_explorer";
import { addBlock, memorySource, smallScene } from "./helpers/scenes";

const CLASSES: Condition = { title: "class", names: ["a", "b, c"], first: 1, codes: null };
const told = () => smallExplorer(30, 3, {}, CLASSES);

describe("what a model is told", () => {
  it("begins with what was asked for, and is what all is decoded as", async () => {
    const explorer = await told();
    expect(explorer.told.value).toBe(1);
    setDecoder(explorer, explorer.decoder.value!);
    setNeuron(explorer, 0, 0.5);
    const before = explorer.picture.value![0];
    const decoder = explorer.decoder.value!;
    setTold(explorer, 0);
    expect(explorer.picture.value![0]).toBeCloseTo(before - 1);
    expect(explorer.decoder.value).not.toBe(decoder); // so that all panels decode anew
    const z = new Float32Array(3);
    expect(explorer.decoder.value!.decode(z, 1)).toEqual(new Float32Array(16));
    expect(explorer.decoder.value!.decode(z, 1, 1)).toEqual(new Float32Array(16).fill(1));
    setTold(explorer, 7);
    expect(explorer.told.value).toBe(0);
  });

  it("is undone and redone", async () => {
    const explorer = await told();
    setDecoder(explorer, explorer.decoder.value!);
    const before = explorer.picture.value![0];
    setTold(explorer, 0);
    undo(explorer);
    expect([explorer.told.value, explorer.picture.value![0]]).toEqual([1, before]);
    redo(explorer);
    expect(explorer.told.value).toBe(0);
  });

  it("is in the link, by name", async () => {
    const one = await told();
    setTold(one, 0);
    const hash = writeAddress(addressOf(one));
    expect(hash).toContain("as=a");
    const other = await told();
    applyAddress(other, readAddress(`#${hash}`, 3));
    expect(other.told.value).toBe(0);
    applyAddress(other, readAddress("#as=zzz", 3));
    expect(other.told.value).toBe(0);
    applyAddress(other, readAddress("#as=b%2C+c", 3));
    expect(other.told.value).toBe(1);
    expect(writeAddress(addressOf(await smallExplorer()))).not.toContain("as=");
  });

  it("is shared with Python", async () => {
    const explorer = await told();
    const values: Partial<Shared> = { condition: "a" };
    let heard: (key: keyof Shared) => void = () => undefined;
    const shared: SharedState = {
      get: (key) => values[key]!,
      set: (all) => Object.assign(values, all),
      onChange: (listener) => {
        heard = listener;
        return () => undefined;
      },
    };
    const stop = followShared(explorer, shared);
    expect(explorer.told.value).toBe(0);
    setTold(explorer, 1);
    await new Promise((resolve) => setTimeout(resolve, 120));
    expect(values.condition).toBe("b, c");
    values.condition = "a";
    heard("condition");
    expect(explorer.told.value).toBe(0);
    stop();
  });

  it("is asked of the kernel with every question", async () => {
    const asked: (number | undefined)[] = [];
    const decode = async (_: Float32Array, n: number, what?: number) => {
      asked.push(what);
      return new Float32Array(16 * n);
    };
    const source = memorySource({}, {});
    const decoder = createDecoder(null, { ...source, decode });
    await decoder.decode(new Float32Array(3), 1);
    await decoder.choose(1).decode(new Float32Array(3), 1);
    await decoder.choose(1).decode(new Float32Array(3), 1, 0);
    expect(asked).toEqual([undefined, 1, 0]);
  });

  it("is checked in the manifest", async () => {
    const load = (condition: unknown) => {
      const parts = smallScene(30, 3);
      addBlock(parts, "condition", "i32", [30], new Int32Array(30));
      addBlock(parts, "short", "i32", [29], new Int32Array(29));
      const manifest = { ...parts.manifest, condition };
      return loadScene(memorySource(manifest, parts.bytes));
    };
    expect((await load({ ...CLASSES, codes: "condition" })).manifest.condition?.first).toBe(1);
    await expect(load({ ...CLASSES, first: 2 })).rejects.toThrow("condition.first");
    await expect(load({ ...CLASSES, names: "a" })).rejects.toThrow("condition.names");
    await expect(load({ ...CLASSES, codes: "short" })).rejects.toThrow("do not belong together");
  });
});
