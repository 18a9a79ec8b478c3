import { createMap, createPair } from "../maps/create_map";
import type { LatentMap } from "../maps/inverse";
import type { NeighbourGraph } from "../maps/neighbour_graph";
import type { Scene } from "../scene/source";
import type { ViewBox } from "../view/view";
import { cell, derived } from "./cell";
import { change } from "./change";
import { coloringOf, paintPoints } from "./coloring";
import { classColumn, costColumns, isFacet, readColumns } from "./columns";
import { createLatest, type Decoder } from "./decoder";
import {
  type Explorer,
  firstColor,
  firstMap,
  isSameMoment,
  type Kept,
  type Layout,
  momentOf,
  pairOf,
  type Spread,
} from "./explorer";
import { type Filters, failuresOf, visiblePoints } from "./filters";
import { createHistory } from "./history";
import type { Current } from "./origin";
import { type Path, trailOf } from "./path";
import { nearestOf, placeOf, trustOfStops } from "./place";
import type { Join, Selection } from "./selections";
import { BLANK } from "./sketch";
import { measureSpacing } from "./spacing";
import { lookOf } from "./thumbnails";
import type { Spacing } from "./trust";

/** What the page offers; the first of each is shown first. */
export interface Offer {
  isDark: boolean;
  tools: readonly string[];
  tabs: readonly string[];
}

export function createExplorer(scene: Scene, { isDark, tools, tabs }: Offer): Explorer {
  const { manifest } = scene;
  const { points, latentDim: dim } = manifest;
  const mu = scene.floats(points.mu);
  const order = manifest.neurons
    .map((_, i) => i)
    .sort((a, b) => manifest.neurons[b]!.kl - manifest.neurons[a]!.kl);
  const first: Current = { z: mu.slice(0, dim), origin: { kind: "row", row: 0 } };
  const decoder = cell<Decoder | null>(null);
  const current = cell(first);
  const map = cell(firstMap(manifest));
  const told = cell(manifest.condition?.first ?? 0);
  const dark = cell(isDark);
  const filters = cell<Filters>(new Map());
  const failures = derived([filters], () => failuresOf(explorer));
  const visible = derived([filters], () => visiblePoints(explorer));
  const labels = points.labels === null ? null : scene.ints(points.labels);
  const color = cell(firstColor({ labels, order }));
  const columns = readColumns(scene);
  const own = classColumn(manifest, labels);
  const facets = [
    ...columns.filter(isFacet).filter(({ missing }) => missing < points.n),
    ...(own ? [own] : []),
    ...costColumns(scene),
  ];
  const selection = cell<readonly number[]>([]);
  const selections = cell<readonly Selection[]>([]);
  const coloring = derived([color, dark, selections], () => coloringOf(explorer));
  const posterior = cell<Spread | null>(null);
  const path = cell<Path | null>(null);
  const kept = cell<readonly Kept[]>([]);
  const sketch = cell(BLANK);
  const story = cell(manifest.story ?? null);
  const maps = new Map<string, LatentMap>();
  let spacing: Spacing | null = null;

  const ask = createLatest<Current, Float32Array>(
    ({ z }) => decoder.value!.decode(z, 1),
    (pixels) => change(explorer, "picture", pixels),
    (error, question) => {
      if (question !== current.value) return; // of what nobody looks at any more
      change(explorer, "picture", null); // not that of another vector
      change(
        explorer,
        "notice",
        `The picture could not be decoded: ${String((error as Error).message ?? error)}`,
      );
    },
  );

  const explorer: Explorer = {
    scene,
    manifest,
    look: lookOf(manifest),
    n: points.n,
    dim,
    mu,
    labels,
    indices: scene.ints(points.indices),
    order,
    decoder,
    current,
    picture: cell<Float32Array | null>(null),
    map,
    way: cell(""),
    color,
    told,
    codes: manifest.condition?.codes ? scene.ints(manifest.condition.codes) : null,
    tools,
    tabs,
    tool: cell(tools[0]),
    tab: cell(tabs[0]),
    filters,
    columns,
    facets: new Map(facets.map((facet) => [facet.name, facet])),
    selection,
    join: cell<Join>("new"),
    selections,
    versus: cell<readonly [string, string]>(["selected", "rest"]),
    posterior,
    path,
    graph: cell<NeighbourGraph | null>(null),
    kept,
    sketch,
    story,
    step: cell(-1),
    layout: cell<Layout>("full"),
    isDark: dark,
    hasContours: cell(false),
    hasThumbnails: cell(true),
    hasTiles: cell(false),
    hasNames: cell(true),
    hasExamples: cell(false),
    hasPosterior: cell(false),
    view: cell<ViewBox | null>(null),
    mapSize: cell({ width: 0, height: 0 }),
    notice: cell(""),
    history: createHistory(
      momentOf({ filters, selections, color, selection, path, kept, sketch, story, told, current }),
      isSameMoment,
    ),
    place: derived([current, map, posterior], () => placeOf(explorer)),
    nearest: derived([current], () => nearestOf(explorer)),
    coloring,
    rgba: derived([coloring], () => paintPoints(explorer)),
    failures,
    visible,
    nShown: derived([filters], () => {
      const mask = visible.value;
      let sum = points.n;
      if (mask) for (let row = 0; row < points.n; row++) sum -= 1 - mask[row];
      return sum;
    }),
    chosen: derived([selection, filters], () => {
      const mask = visible.value;
      return mask ? selection.value.filter((row) => mask[row]) : selection.value;
    }),
    stopTrust: derived([path], () =>
      explorer.path.value ? trustOfStops(explorer, explorer.path.value) : [],
    ),
    trail: derived([path, map], () => path.value && trailOf(path.value, explorer.latentMap())),
    latentMap(name = map.value) {
      const known = maps.get(name);
      if (known) return known;
      const spec = manifest.maps.find((each) => each.name === name);
      const [first, second] = pairOf(name, dim) ?? [0, 0];
      const made = spec ? createMap(scene, spec) : createPair(scene, first, second);
      maps.set(name, made);
      return made;
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
