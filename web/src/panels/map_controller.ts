import {
  chooseRow,
  clearSelection,
  drawPath,
  lookAt,
  openTab,
  selectInside,
  settle,
  walkTo,
} from "../state/actions";
import { watch, watchFrames } from "../state/cell";
import { contourGroups } from "../state/coloring";
import { type Explorer, pairOf } from "../state/explorer";
import type { Thumbnails } from "../state/thumbnails";
import { createMapView } from "../view/map_view";
import type { Hit, MapView } from "../view/view";
import { createTiles } from "./map_tiles";

/** Of a path that has just been drawn. */
export const FIRST_STOPS = 10;

export interface MapController {
  readonly view: MapView;
  destroy(): void;
}

/**
 * Draws what the explorer knows into `el`, and tells it what is done there.
 *
 * @throws NoWebGL where the browser has none
 */
export function attachMap(
  explorer: Explorer,
  thumbnails: Thumbnails,
  el: HTMLElement,
  onHover: (hit: Hit) => void,
): MapController {
  const { manifest } = explorer;
  let isRestoring = false;
  const view = createMapView(el, {
    n: explorer.n,
    label: `${manifest.title}: map of ${explorer.n} pictures. Arrow keys move it, plus and minus zoom, 0 shows all, Enter takes what is in the centre.`,
    thumbnail: (row) => thumbnails.image(row),
    onHover,
    onPoint(hit) {
      if (hit.row >= 0) chooseRow(explorer, hit.row);
      else walkTo(explorer, hit.x, hit.y);
    },
    onDrag(hit, phase) {
      walkTo(explorer, hit.x, hit.y, false);
      if (phase === "end") settle(explorer);
    },
    onLasso: (polygon) =>
      polygon.length ? selectInside(explorer, polygon) : clearSelection(explorer),
    onPath(points, phase) {
      if (phase !== "end") return;
      drawPath(explorer, points, explorer.path.value?.n ?? FIRST_STOPS);
      openTab(explorer, "path");
    },
    onView(box) {
      isRestoring = true;
      lookAt(explorer, box);
      isRestoring = false;
    },
  });

  const showMap = (isAnimated: boolean): void => {
    const map = explorer.latentMap();
    const pair = pairOf(map.name, explorer.dim);
    view.setPoints(map.coordinates, isAnimated);
    view.setAxes(
      pair ? { x: manifest.neurons[pair[0]].name, y: manifest.neurons[pair[1]].name } : null,
    );
  };
  const showColors = (): void => view.setColors(explorer.rgba.value);
  const showContours = (): void => {
    const isOn = explorer.hasContours.value;
    view.setContours(isOn, isOn ? contourGroups(explorer) : undefined);
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
  const showClasses = (): void => {
    view.setVisible(explorer.visible.value);
    showContours();
  };

  const wanted = explorer.view.value;
  view.setDark(explorer.isDark.value);
  view.setMode(explorer.mode.value);
  showColors();
  showMap(false);
  if (wanted) view.setView(wanted);
  if (explorer.hidden.value.size) showClasses();
  view.setSelection(explorer.chosen.value);
  showPath();
  showMarker();

  const tiles = createTiles(explorer, view);
  const stops = [
    explorer.map.subscribe(() => showMap(true)),
    explorer.mode.subscribe(() => view.setMode(explorer.mode.value)),
    explorer.chosen.subscribe(() => view.setSelection(explorer.selection.value)),
    explorer.trail.subscribe(showPath),
    explorer.hasContours.subscribe(showContours),
    explorer.hidden.subscribe(showClasses),
    explorer.hasThumbnails.subscribe(() => view.setThumbnails(explorer.hasThumbnails.value)),
    explorer.isDark.subscribe(() => view.setDark(explorer.isDark.value)),
    explorer.view.subscribe(() => {
      const box = explorer.view.value;
      if (box && !isRestoring) view.setView(box, true);
    }),
    watch([explorer.isDark], showContours),
    watchFrames([explorer.rgba], showColors),
    watchFrames([explorer.place], showMarker),
    tiles.destroy,
  ];
  return {
    view,
    destroy() {
      stops.forEach((stop) => stop());
      view.destroy();
    },
  };
}
