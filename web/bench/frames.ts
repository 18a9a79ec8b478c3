/** How long a frame of the map takes while it zooms: ten clouds of points, the same every time. */
import { Places } from "../src/maps/places";
import { classColors } from "../src/state/colors";
import { createMapView } from "../src/view/map_view";

const FRAMES = 90;
const WARM_UP = 20;

/** Milliseconds between frames. */
export interface Frames {
  median: number;
  p95: number;
}

export async function measure(n: number): Promise<Frames> {
  const el = document.createElement("div");
  el.style.cssText = "width:800px;height:600px";
  document.body.replaceChildren(el);
  const { coordinates, labels } = clouds(n);
  const palette = Uint8Array.from(classColors(10, false).flatMap((rgb) => [...rgb, 255]));
  const codes = Uint8Array.from(labels);
  const view = createMapView(el, { n });
  view.setColors({ codes, palette });
  view.setPoints(new Places(coordinates));
  await view.frame();
  const start = view.getView();
  const intervals: number[] = [];
  let last = await nextFrame();
  for (let i = 0; i < FRAMES + WARM_UP; i++) {
    view.setView({ ...start, scale: start.scale * (0.75 + 0.25 * Math.cos(i / 8)) });
    const now = await nextFrame();
    if (i >= WARM_UP) intervals.push(now - last);
    last = now;
  }
  view.destroy();
  intervals.sort((a, b) => a - b);
  return { median: intervals[FRAMES >> 1], p95: intervals[Math.floor(0.95 * FRAMES)] };
}

const nextFrame = (): Promise<number> => new Promise((resolve) => requestAnimationFrame(resolve));

function clouds(n: number): { coordinates: Float32Array; labels: Int32Array } {
  let seed = 1;
  const uniform = (): number => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return (seed + 0.5) / 2 ** 32;
  };
  const normal = (): number =>
    Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
  const labels = Int32Array.from({ length: n }, () => Math.floor(10 * uniform()));
  const coordinates = new Float32Array(2 * n);
  labels.forEach((label, i) => {
    const angle = (2 * Math.PI * label) / 10;
    coordinates[2 * i] = 40 * Math.cos(angle) + 7 * normal();
    coordinates[2 * i + 1] = 40 * Math.sin(2 * angle) + 7 * normal();
  });
  return { coordinates, labels };
}
