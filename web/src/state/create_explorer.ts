import { type Box, boundsOf } from "../maps/box";
import { createMap, createPair } from "../maps/create_map";
import type { LatentMap } from "../maps/inverse";
import type { NeighbourGraph } from "../maps/neighbour_graph";
import type { Scene } from "../scene/source";
import type { Trails, ViewBox } from "../view/view";
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

/** What is known of a scene, or of one member of it. */
function readFacts(scene: Scene) {
  const { manifest } = scene;
  const { points, latentDim: dim, condition } = manifest;
  const labels = points.labels === null ? null : scene.ints(points.labels);
  const columns = readColumns(scene);
  const own = classColumn(manifest, labels);
  const facets = [
    ...columns.filter(isFacet).filter(({ missing }) => missing < points.n),
    ...(own ? [own] : []),
    ...costColumns(scene),
  ];
  return {
    ...{ scene, manifest, dim, labels, columns, look: lookOf(manifest), n: points.n },
    mu: scene.floats(points.mu),
    indices: scene.ints(points.indices),
    order: manifest.neurons
      .map((_, i) => i)
      .sort((a, b) => manifest.neurons[b]!.kl - manifest.neurons[a]!.kl),
    codes: condition?.codes ? scene.ints(condition.codes) : null,
    facets: new Map(facets.map((facet) => [facet.name, facet])),
    maps: new Map<string, LatentMap>(),
    spacing: null as Spacing | null,
  };
}

/** What is shown when all of a map is: the same for all members, where their maps follow each other. */
function frameOf(scene: Scene, name: string): Box | undefined {
  if (scene.members.length < 2) return undefined;
  const boxes = scene.members.flatMap((member) => {
    const spec = member.manifest.maps.find((each) => each.name === name);
    return (spec && boundsOf(member.floats(spec.coordinates))) ?? [];
  });
  return boxes.reduce((all, box) => ({
    x0: Math.min(all.x0, box.x0),
    y0: Math.min(all.y0, box.y0),
    x1: Math.max(all.x1, box.x1),
    y1: Math.max(all.y1, box.y1),
  }));
}

export function createExplorer(scene: Scene, { isDark, tools, tabs }: Offer): Explorer {
  const member = cell(scene.member);
  const known = new Map<number, ReturnType<typeof readFacts>>();
  const facts = (): ReturnType<typeof readFacts> => {
    const at = member.value;
    const own = known.get(at) ?? readFacts(scene.members[at]!);
    known.set(at, own);
    return own;
  };
  const { manifest, dim, mu, order, labels } = facts();
  const first: Current = { z: mu.slice(0, dim), origin: { kind: "row", row: 0 } };
  const decoder = cell<Decoder | null>(null);
  const current = cell(first);
  const map = cell(firstMap(manifest));
  const color = cell(firstColor({ labels, order }));
  const told = cell(manifest.condition?.first ?? 0);
  const dark = cell(isDark);
  const filters = cell<Filters>(new Map());
  const failures = derived([filters, member], () => failuresOf(explorer));
  const visible = derived([filters, member], () => visiblePoints(explorer));
  const selection = cell<readonly number[]>([]);
  const selections = cell<readonly Selection[]>([]);
  const coloring = derived([color, dark, selections, member], () => coloringOf(explorer));
  const posterior = cell<Spread | null>(null);
  const path = cell<Path | null>(null);
  const kept = cell<readonly Kept[]>([]);
  const sketch = cell(BLANK);
  const story = cell(manifest.story ?? null);

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
    get scene() {
      return facts().scene;
    },
    get manifest() {
      return facts().manifest;
    },
    get look() {
      return facts().look;
    },
    get n() {
      return facts().n;
    },
    get dim() {
      return facts().dim;
    },
    get mu() {
      return facts().mu;
    },
    get labels() {
      return facts().labels;
    },
    get indices() {
      return facts().indices;
    },
    get order() {
      return facts().order;
    },
    get codes() {
      return facts().codes;
    },
    get columns() {
      return facts().columns;
    },
    get facets() {
      return facts().facets;
    },
    member,
    wanted: cell(scene.member),
    pointedAt: cell(-1),
    trails: cell<Trails | null>(null),
    decoder,
    current,
    picture: cell<Float32Array | null>(null),
    map,
    way: cell(""),
    color,
    told,
    tools,
    tabs,
    tool: cell(tools[0]),
    tab: cell(tabs[0]),
    filters,
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
    place: derived([current, map, posterior, member], () => placeOf(explorer)),
    nearest: derived([current, member], () => nearestOf(explorer)),
    coloring,
    paint: derived([coloring], () => paintPoints(explorer)),
    failures,
    visible,
    nShown: derived([visible], () => {
      const mask = visible.value;
      let sum = explorer.n;
      if (mask) for (let row = 0; row < explorer.n; row++) sum -= 1 - mask[row];
      return sum;
    }),
    chosen: derived([selection, visible], () => {
      const mask = visible.value;
      return mask ? selection.value.filter((row) => mask[row]) : selection.value;
    }),
    stopTrust: derived([path, member], () =>
      explorer.path.value ? trustOfStops(explorer, explorer.path.value) : [],
    ),
    trail: derived(
      [path, map, member],
      () => path.value && trailOf(path.value, explorer.latentMap()),
    ),
    latentMap(name = map.value) {
      const { scene, manifest, dim, maps } = facts();
      const known = maps.get(name);
      if (known) return known;
      const spec = manifest.maps.find((each) => each.name === name);
      const [first, second] = pairOf(name, dim) ?? [0, 0];
      const made = spec
        ? createMap(scene, spec, frameOf(scene, name))
        : createPair(scene, first, second);
      maps.set(name, made);
      return made;
    },
    decode(current) {
      if (decoder.value?.canDecode) ask(current);
    },
    latentSpacing() {
      const own = facts();
      own.spacing ??= measureSpacing(own.mu, own.n, own.dim);
      return own.spacing;
    },
  };
  return explorer;
}
