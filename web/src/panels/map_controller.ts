import { indexPlaces } from "../maps/indexing";
import { lookAt } from "../state/actions";
import { watchFrames } from "../state/cell";
import { contourGroups, labelGroups } from "../state/coloring";
import { type Explorer, pairOf } from "../state/explorer";
import { whenIdle } from "../state/slices";
import type { Thumbnails } from "../state/thumbnails";
import { TOOLS } from "../tools/tools";
import { createMapView } from "../view/map_view";
import type { Hit, MapView } from "../view/view";
import { createTiles } from "./map_tiles";

export interface MapController {
  readonly view: MapView;
  destroy(): void;
}

/** Draws what the explorer knows into `el`, and tells it what is done there. */
export function attachMap(
  explorer: Explorer,
  thumbnails: Thumbnails,
  el: HTMLElement,
  onHover: (hit: Hit) => void,
): MapController {
  let isRestoring = false;
  const view = createMapView(el, {
    n: explorer.n,
    label: `${explorer.manifest.title}: map of ${explorer.n} pictures. Arrow keys move it, plus and minus zoom, 0 shows all, Enter takes what is in the centre.`,
    thumbnail: (row) => thumbnails.image(row),
    onHover,
    onView(box) {
      isRestoring = true;
      lookAt(explorer, box);
      isRestoring = false;
    },
  });

  let forget = (): void => undefined;
  const showMap = (isAnimated: boolean, keepsView = false): void => {
    const { manifest } = explorer;
    const map = explorer.latentMap();
    const pair = pairOf(map.name, explorer.dim);
    view.setPoints(map.places, isAnimated, keepsView);
    forget();
    // Or the first hover would wait for it; those of many points show none before.
    forget = whenIdle(() => void indexPlaces(map.places).then(() => view.refresh()));
    view.setAxes(
      pair ? { x: manifest.neurons[pair[0]].name, y: manifest.neurons[pair[1]].name } : null,
    );
  };
  const tools = new Map(TOOLS.map(({ name, create }) => [name, create(explorer)]));
  const showTool = (): void => view.setTool(tools.get(explorer.tool.value)!);
  const showColors = (): void => view.setColors(explorer.paint.value);
  const showContours = (): void => {
    const isOn = explorer.hasContours.value;
    view.setContours(isOn, isOn ? contourGroups(explorer) : undefined);
  };
  const showLabels = (): void => {
    const what = { names: explorer.hasNames.value, examples: explorer.hasExamples.value };
    view.setLabels(what.names || what.examples ? labelGroups(explorer) : [], what);
  };
  const showMarker = (): void => {
    const { x, y, halo, trust, spread } = explorer.place.value;
    view.setMarker({
      x,
      y,
      halo,
      trust: trust.value,
      ...(spread ? { spread: { cov: spread } } : {}),
    });
  };
  const showPath = (): void => {
    const trail = explorer.trail.value;
    if (trail) view.setPath(trail.line, trail.stops);
    else view.setPath(null);
  };
  const showFiltered = (): void => {
    view.setVisible(explorer.visible.value);
    showContours();
    showLabels();
  };

  const wanted = explorer.view.value;
  view.setDark(explorer.isDark.value);
  showTool();
  showColors();
  showLabels();
  showMap(false);
  if (wanted) view.setView(wanted);
  if (explorer.filters.value.size) showFiltered();
  view.setSelection(explorer.chosen.value);
  showPath();
  showMarker();
  view.setTrails(explorer.trails.value);

  const tiles = createTiles(explorer, view);
  const stops = [
    explorer.map.subscribe(() => showMap(true)),
    explorer.member.subscribe(() => showMap(true, true)),
    explorer.pointedAt.subscribe(() => view.setRing(explorer.pointedAt.value)),
    explorer.trails.subscribe(() => view.setTrails(explorer.trails.value)),
    explorer.tool.subscribe(showTool),
    watchFrames([explorer.chosen], () => view.setSelection(explorer.chosen.value)),
    explorer.trail.subscribe(showPath),
    explorer.hasContours.subscribe(showContours),
    watchFrames([explorer.filters], showFiltered),
    explorer.hasThumbnails.subscribe(() => view.setThumbnails(explorer.hasThumbnails.value)),
    explorer.isDark.subscribe(() => view.setDark(explorer.isDark.value)),
    explorer.view.subscribe(() => {
      const box = explorer.view.value;
      if (isRestoring) return;
      if (box) view.setView(box, true);
      else view.fit();
    }),
    watchFrames([explorer.coloring], () => {
      showContours();
      showLabels();
    }),
    watchFrames([explorer.hasNames, explorer.hasExamples], showLabels),
    watchFrames([explorer.paint], showColors),
    watchFrames([explorer.place], showMarker),
    thumbnails.onArrival(() => view.refresh()),
    tiles.destroy,
  ];
  return {
    view,
    destroy() {
      forget();
      stops.forEach((stop) => stop());
      view.destroy();
    },
  };
}
