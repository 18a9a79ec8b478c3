import { createMap, createPair } from "../maps/create_map";
import type { LatentMap } from "../maps/inverse";
import type { Manifest } from "../scene/manifest";
import type { Scene } from "../scene/source";
import type { Mode, ViewBox } from "../view/view";
import { type Cell, cell } from "./cell";
import { createLatest, type Decoder } from "./decoder";
import { createHistory, type History } from "./history";
import type { Current } from "./origin";
import type { Path } from "./path";
import { measureSpacing, type Spacing } from "./spacing";
import type { Trust } from "./trust";

export type Tab = "neurons" | "around" | "path" | "classes" | "draw";

/** Where the current vector lies on the shown map, and how far to trust its picture. */
export interface Place {
  x: number;
  y: number;
  halo: number; // map units
  trust: Trust;
  spread?: [number, number, number]; // covariance on the map: xx, xy, yy
}

/** A vector someone wants to come back to. */
export interface Kept {
  name: string;
  z: Float32Array;
}

/** All that the page knows. Cells change through the functions of `actions.ts` alone. */
export interface Explorer {
  readonly scene: Scene;
  readonly manifest: Manifest;
  readonly n: number;
  readonly dim: number;
  readonly mu: Float32Array; // (n, dim)
  readonly labels: Int32Array | null;
  readonly indices: Int32Array;
  /** Neurons, the one that says most about the pictures first. */
  readonly order: readonly number[];

  readonly decoder: Cell<Decoder | null>;
  readonly current: Cell<Current>;
  /** Pixels (c, h, w) of the current vector; null until, or if never, decoded. */
  readonly picture: Cell<Float32Array | null>;
  readonly place: Cell<Place | null>;
  readonly map: Cell<string>;
  readonly way: Cell<string>;
  readonly color: Cell<string>;
  readonly mode: Cell<Mode>;
  readonly tab: Cell<Tab>;
  readonly hidden: Cell<ReadonlySet<number>>;
  readonly selection: Cell<readonly number[]>;
  readonly path: Cell<Path | null>;
  readonly kept: Cell<readonly Kept[]>;
  readonly isDark: Cell<boolean>;
  readonly hasContours: Cell<boolean>;
  readonly hasThumbnails: Cell<boolean>;
  readonly hasTiles: Cell<boolean>;
  readonly view: Cell<ViewBox | null>;
  /** Of the map, CSS pixels. */
  readonly mapSize: Cell<{ width: number; height: number }>;
  /** A sentence for the person, or empty. */
  readonly notice: Cell<string>;
  readonly history: History<Current>;

  latentMap(): LatentMap;
  decode(current: Current): void;
  /** How far apart pictures of the data lie in the latent space. */
  latentSpacing(): Spacing;
}

/** Names a map of any two neurons: "z0,z3". */
export const pairName = (first: number, second: number): string => `z${first},z${second}`;

/** The two neurons of a pair map, or null. */
export function pairOf(name: string, dim: number): [number, number] | null {
  const match = /^z(\d{1,5}),z(\d{1,5})$/.exec(name);
  if (!match) return null;
  const [first, second] = [Number(match[1]), Number(match[2])];
  return first < dim && second < dim && first !== second ? [first, second] : null;
}

/** Whether the scene can show a map of this name. */
export const hasMap = (manifest: Manifest, name: string): boolean =>
  manifest.maps.some((spec) => spec.name === name) || pairOf(name, manifest.latentDim) !== null;

export function createExplorer(scene: Scene, isDark: boolean): Explorer {
  const { manifest } = scene;
  const { points, latentDim: dim } = manifest;
  const mu = scene.floats(points.mu);
  const order = manifest.neurons
    .map((_, i) => i)
    .sort((a, b) => manifest.neurons[b]!.kl - manifest.neurons[a]!.kl);
  const first: Current = { z: mu.slice(0, dim), origin: { kind: "row", row: 0 } };
  const decoder = cell<Decoder | null>(null);
  const picture = cell<Float32Array | null>(null);
  const notice = cell("");
  const maps = new Map<string, LatentMap>();
  let spacing: Spacing | null = null;

  const ask = createLatest<Current, Float32Array>(
    ({ z }) => decoder.value!.decode(z, 1),
    (pixels) => picture.set(pixels),
    (error) =>
      notice.set(`The picture could not be decoded: ${String((error as Error).message ?? error)}`),
  );

  const explorer: Explorer = {
    scene,
    manifest,
    n: points.n,
    dim,
    mu,
    labels: points.labels === null ? null : scene.ints(points.labels),
    indices: scene.ints(points.indices),
    order,
    decoder,
    current: cell(first),
    picture,
    place: cell<Place | null>(null),
    map: cell(firstMap(manifest)),
    way: cell(""),
    color: cell(points.labels === null ? `z${order[0]}` : "class"),
    mode: cell<Mode>("walk"),
    tab: cell<Tab>("neurons"),
    hidden: cell<ReadonlySet<number>>(new Set()),
    selection: cell<readonly number[]>([]),
    path: cell<Path | null>(null),
    kept: cell<readonly Kept[]>([]),
    isDark: cell(isDark),
    hasContours: cell(false),
    hasThumbnails: cell(true),
    hasTiles: cell(false),
    view: cell<ViewBox | null>(null),
    mapSize: cell({ width: 0, height: 0 }),
    notice,
    history: createHistory(first),
    latentMap() {
      const name = explorer.map.value;
      const known = maps.get(name);
      if (known) return known;
      const spec = manifest.maps.find((each) => each.name === name);
      const [first, second] = pairOf(name, dim) ?? [0, 0];
      const map = spec ? createMap(scene, spec) : createPair(scene, first, second);
      maps.set(name, map);
      return map;
    },
    decode(current) {
      if (decoder.value?.canDecode) ask(current);
    },
    latentSpacing() {
      spacing ??= measureSpacing(mu, points.n, dim);
      return spacing;
    },
  };
  return explorer;
}

/** t-SNE shows most, so it is shown first where there is one. */
function firstMap(manifest: Manifest): string {
  const wanted = ["tsne", "umap"].map((method) =>
    manifest.maps.find((spec) => spec.method === method),
  );
  return (wanted.find(Boolean) ?? manifest.maps[0]!).name;
}
