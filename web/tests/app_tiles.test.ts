// @vitest-environment happy-dom
import { expect, it, vi } from "vitest";
import { createTiles } from "../src/panels/map_tiles";
import { flip, resizeMap, setDecoder, setMap, setNeuron } from "../src/state/actions";
import type { Decoder } from "../src/state/decoder";
import type { MapView, Tile } from "../src/view/view";
import { smallExplorer } from "./app_explorer";

const rest = () => new Promise((resolve) => setTimeout(resolve, 200));

it("tiles show the vector they are asked for, however late the answers come", async () => {
  class Image {
    data: Uint8ClampedArray;
    constructor(
      readonly width: number,
      readonly height: number,
    ) {
      this.data = new Uint8ClampedArray(4 * width * height);
    }
  }
  vi.stubGlobal("ImageData", Image);
  const explorer = await smallExplorer(30, 4);
  const late: (() => void)[] = [];
  let isSlow = true;
  // Every pixel is the last neuron, which is in neither of the maps.
  const decode = (z: Float32Array, n: number): Promise<Float32Array> => {
    const pixels = Float32Array.from({ length: 16 * n }, (_, i) => z[4 * Math.floor(i / 16) + 3]);
    return new Promise((resolve) => {
      if (isSlow) late.push(() => resolve(pixels));
      else resolve(pixels);
    });
  };
  const network: Decoder = {
    choose: () => network,
    canDecode: true,
    canEncode: false,
    isHere: false,
    decode,
    encode: () => Promise.reject(new Error("no")),
  };
  setDecoder(explorer, network);
  let shown: Tile[] | null = null;
  const view = {
    getView: () => ({ x: 0, y: 0, scale: 0.05 }),
    setTiles: (tiles: Tile[] | null) => (shown = tiles),
  } as unknown as MapView;
  const greys = () => new Set(shown?.map((tile) => (tile.image as ImageData).data[0]));
  resizeMap(explorer, { width: 100, height: 100 });
  setNeuron(explorer, 3, 0.2);
  setMap(explorer, "z0,z1");
  const tiles = createTiles(explorer, view);
  flip(explorer, "hasTiles", true);
  await rest();
  setNeuron(explorer, 3, 1); // while the tiles of 0.2 are on their way
  await rest();
  isSlow = false;
  for (const answer of late.splice(0)) answer();
  await rest();
  expect(greys()).toEqual(new Set([255]));

  // Known tiles of one map are not those of the same map after the vector has changed on another.
  setMap(explorer, "z0,z3");
  await rest();
  setNeuron(explorer, 3, 0);
  await rest();
  setMap(explorer, "z0,z1");
  await rest();
  expect(greys()).toEqual(new Set([0]));
  tiles.destroy();
});
