import { watchFrames } from "../state/cell";
import { whenReady } from "../state/decoder";
import { type Explorer, pairOf } from "../state/explorer";
import { createSlices } from "../state/slices";
import { toImage } from "../state/thumbnails";
import type { MapView } from "../view/view";

/** CSS pixels a tile is wide at least. */
const TILE_PX = 46;
const BATCH = 8;
/** Tiles kept, in all zooms together. */
const MOST_KEPT = 4000;

type Tile = { x0: number; y0: number; x1: number; y1: number; image: ImageData };

/**
 * The manifold under a map of two neurons: what the decoder makes of every place, the other neurons being as in
 * the current vector. Tiles halve when one zooms in; those already there stay until they are replaced.
 */
export function createTiles(explorer: Explorer, view: MapView): { destroy(): void } {
  const known = new Map<string, Tile>();
  let wanted: { key: string; x: number; y: number; step: number }[] = [];
  let base = explorer.current.value.z;
  let pair: [number, number] | null = null;
  let network = explorer.decoder.value;
  let age = 0; // of what is known: an answer to an older question is not kept
  let timer: ReturnType<typeof setTimeout> | undefined;

  const slices = createSlices(
    () => wanted.length,
    (first, n) => {
      const { decoder, look } = explorer;
      const tiles = wanted.slice(first, first + n).filter(({ key }) => !known.has(key));
      if (!tiles.length || !pair) return;
      const vectors = new Float32Array(tiles.length * explorer.dim);
      tiles.forEach(({ x, y, step }, i) => {
        vectors.set(base, i * explorer.dim);
        vectors[i * explorer.dim + pair![0]] = x + step / 2;
        vectors[i * explorer.dim + pair![1]] = y + step / 2;
      });
      const asked = age;
      const keep = (pixels: Float32Array): void => {
        if (asked !== age) return;
        const size = pixels.length / tiles.length;
        tiles.forEach(({ key, x, y, step }, i) => {
          const image = toImage(pixels, i * size, look);
          known.set(key, { x0: x, y0: y, x1: x + step, y1: y + step, image });
        });
        show();
      };
      const answer = decoder.value!.decode(vectors, tiles.length);
      if (answer instanceof Promise) return answer.then(keep);
      whenReady(answer, keep, () => undefined);
    },
    BATCH,
  );

  const isOn = (): boolean =>
    explorer.hasTiles.value && pair !== null && explorer.decoder.value?.canDecode === true;

  let shown = 0;
  function show(): void {
    shown ||= requestAnimationFrame(() => {
      shown = 0;
      view.setTiles(isOn() ? wanted.flatMap(({ key }) => known.get(key) ?? []) : null);
    });
  }

  function plan(): void {
    const before = pair;
    pair = pairOf(explorer.map.value, explorer.dim) ?? pairOfSpec(explorer);
    if (!isOn()) {
      wanted = [];
      return show();
    }
    const z = explorer.current.value.z;
    const isOther = z.some((value, i) => value !== base[i] && !pair!.includes(i));
    if (
      isOther ||
      decoder.value !== network ||
      String(pair) !== String(before) ||
      known.size > MOST_KEPT
    ) {
      known.clear();
      age++;
    }
    base = z;
    network = decoder.value;
    const box = view.getView();
    // Powers of two, so that the tiles of one zoom fit into those of another.
    const step = 2 ** Math.ceil(Math.log2(TILE_PX * box.scale));
    const { width, height } = explorer.mapSize.value;
    const tiles: typeof wanted = [];
    const [left, top] = [box.x - (width / 2) * box.scale, box.y - (height / 2) * box.scale];
    for (let i = Math.floor(left / step); i * step < left + width * box.scale; i++) {
      for (let j = Math.floor(top / step); j * step < top + height * box.scale; j++) {
        tiles.push({ key: `${pair!.join()}/${step}/${i}/${j}`, x: i * step, y: j * step, step });
      }
    }
    const far = (tile: (typeof tiles)[number]) =>
      Math.hypot(tile.x + step / 2 - box.x, tile.y + step / 2 - box.y);
    wanted = tiles.sort((a, b) => far(a) - far(b));
    show();
    slices.restart();
  }
  // Zooming changes the view every frame; tiles need not follow before it rests.
  const later = (): void => {
    clearTimeout(timer);
    timer = setTimeout(plan, 90);
  };
  const { view: box, hasTiles, map, decoder, current, mapSize } = explorer;
  const stops = [
    watchFrames([hasTiles, decoder], plan),
    watchFrames([box, current, mapSize, map], later),
  ];
  plan();
  return {
    destroy() {
      clearTimeout(timer);
      cancelAnimationFrame(shown);
      slices.stop();
      stops.forEach((stop) => stop());
    },
  };
}

/** A scene may bring a map of two neurons of its own. */
function pairOfSpec(explorer: Explorer): [number, number] | null {
  const spec = explorer.manifest.maps.find(({ name }) => name === explorer.map.value);
  return spec?.method === "pair" ? pairOf(spec.label.replace(/[^z\d]+/g, ","), explorer.dim) : null;
}
