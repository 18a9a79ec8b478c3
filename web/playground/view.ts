/**
 * The map without the app, for those who work on it: `npx vite --open /playground/view.html`.
 * `?scene=URL` shows a scene served there (`zscape explore` prints its address), `?n=70000` synthetic clusters.
 */
import { loadScene } from "../src/scene/load_scene";
import { httpSource } from "../src/scene/http";
import { classColors } from "../src/state/colors";
import { createThumbnails, toImage } from "../src/state/thumbnails";
import { createMapView } from "../src/view/map_view";
import type { MapView, MapViewOptions, Mode } from "../src/view/view";

interface Data {
  n: number;
  maps: { name: string; coordinates: Float32Array }[];
  labels: ArrayLike<number>;
  thumbnail?: (row: number) => ImageData;
}

const query = new URLSearchParams(location.search);
const isDark = query.has("dark");
const data = query.has("scene") ? await fromScene(query.get("scene") as string) : synthetic(Number(query.get("n") ?? 10000));
const k = 10;

const log = document.createElement("span");
const options: MapViewOptions = {
  n: data.n,
  isInk: true,
  onHover: (hit) => (log.textContent = hit.row < 0 ? "" : `row ${hit.row}, class ${data.labels[hit.row]}`),
  onPoint: (hit) => view.setMarker({ x: hit.x, y: hit.y, halo: unit * 3, trust: hit.row < 0 ? 0.2 : 1 }),
  onDrag: (hit) => view.setMarker({ x: hit.x, y: hit.y, halo: unit * 3, trust: hit.row < 0 ? 0.2 : 1 }),
  onLasso: (polygon) => view.setSelection(inside(polygon)),
  onPath: (points, phase) => view.setPath(points, phase === "end" ? points : undefined),
};
if (data.thumbnail) options.thumbnail = data.thumbnail;
const view: MapView = createMapView(document.getElementById("map") as HTMLElement, options);
const first = data.maps.find((map) => map.name === query.get("map")) ?? data.maps[0];
const unit = spread(first.coordinates) / 100;
document.body.style.background = isDark ? "#0f1318" : "#fff";
document.body.style.colorScheme = isDark ? "dark" : "light";
view.setDark(isDark);
view.setPoints(first.coordinates);
view.setColors(colors());
Object.assign(window, { view, data, unit, inside, groups, tiles });

const bar = document.getElementById("bar") as HTMLElement;
const button = (text: string, act: () => void) => {
  const made = document.createElement("button");
  made.textContent = text;
  made.onclick = act;
  bar.append(made);
};
for (const mode of ["pan", "walk", "lasso", "path"] as Mode[]) button(mode, () => view.setMode(mode));
for (const map of data.maps) button(map.name, () => view.setPoints(map.coordinates, true));
let hasContours = false;
button("contours", () => view.setContours((hasContours = !hasContours), groups()));
button("fit", () => view.fit());
button("axes", () => view.setAxes({ x: "z0", y: "z1" }));
bar.append(log);

function colors(): Uint8Array {
  const palette = classColors(k, isDark);
  const rgba = new Uint8Array(4 * data.n);
  for (let i = 0; i < data.n; i++) rgba.set([...palette[data.labels[i]], 255], 4 * i);
  return rgba;
}

function groups() {
  const palette = classColors(k, isDark);
  return palette.map((rgb, label) => ({
    rows: Int32Array.from(Array.from({ length: data.n }, (_, i) => i).filter((i) => data.labels[i] === label)),
    rgba: [...rgb, 255] as [number, number, number, number],
  }));
}

function tiles(side: number, columns: number) {
  return Array.from({ length: columns * columns }, (_, i) => {
    const x0 = -side + ((2 * side) / columns) * (i % columns);
    const y0 = -side + ((2 * side) / columns) * Math.floor(i / columns);
    const step = (2 * side) / columns;
    const image = data.thumbnail?.(i) ?? toImage(new Float32Array(784).fill(0.5), 0, [1, 28, 28]);
    return { x0, y0, x1: x0 + step, y1: y0 + step, image };
  });
}

function inside(polygon: Float32Array): number[] {
  const path = new Path2D();
  for (let i = 0; i < polygon.length; i += 2) path.lineTo(polygon[i], polygon[i + 1]);
  const context = document.createElement("canvas").getContext("2d") as CanvasRenderingContext2D;
  const { coordinates } = first;
  return Array.from({ length: data.n }, (_, i) => i).filter((i) =>
    context.isPointInPath(path, coordinates[2 * i], coordinates[2 * i + 1]),
  );
}

function spread(coordinates: Float32Array): number {
  return coordinates.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
}

async function fromScene(url: string): Promise<Data> {
  const scene = await loadScene(httpSource(url));
  const { points, maps } = scene.manifest;
  const mu = scene.floats(points.mu);
  const d = scene.manifest.latentDim;
  const pair = Float32Array.from({ length: 2 * points.n }, (_, i) => mu[(i >> 1) * d + (i & 1)]);
  const { image } = createThumbnails(scene);
  return {
    n: points.n,
    maps: [
      ...maps.filter((map) => scene.manifest.blocks[map.coordinates]).map(({ name, coordinates }) => ({ name, coordinates: scene.floats(coordinates) })),
      { name: "pair", coordinates: pair },
    ],
    labels: points.labels ? scene.ints(points.labels) : new Int32Array(points.n),
    thumbnail: image,
  };
}

/** Ten Gaussian clouds, the same every time. */
function synthetic(n: number): Data {
  let seed = 1;
  const uniform = () => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return (seed + 0.5) / 2 ** 32;
  };
  const normal = () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
  const labels = Int32Array.from({ length: n }, () => Math.floor(10 * uniform()));
  const clouds = (radius: number, width: number) => {
    const coordinates = new Float32Array(2 * n);
    for (let i = 0; i < n; i++) {
      const angle = (2 * Math.PI * labels[i]) / 10;
      coordinates[2 * i] = radius * Math.cos(angle) + width * normal();
      coordinates[2 * i + 1] = radius * Math.sin(2 * angle) + width * normal();
    }
    return coordinates;
  };
  return { n, maps: [{ name: "clouds", coordinates: clouds(40, 7) }, { name: "blob", coordinates: clouds(1, 1) }], labels };
}
