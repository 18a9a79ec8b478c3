import type { Box } from "../maps/box";
import type { ViewBox } from "./view";

/** CSS pixels. */
export interface Size {
  width: number;
  height: number;
}

export interface Margins {
  left: number;
  right: number;
  top: number;
  bottom: number;
}

/** Data y points up, pixels point down. */
export function toScreen(view: ViewBox, size: Size, x: number, y: number): [number, number] {
  return [size.width / 2 + (x - view.x) / view.scale, size.height / 2 - (y - view.y) / view.scale];
}

export function toData(view: ViewBox, size: Size, px: number, py: number): [number, number] {
  return [
    view.x + (px - size.width / 2) * view.scale,
    view.y - (py - size.height / 2) * view.scale,
  ];
}

/** What was under the pointer before is under it after moving by (dx, dy) pixels. */
export function panned(view: ViewBox, dx: number, dy: number): ViewBox {
  return { x: view.x - dx * view.scale, y: view.y + dy * view.scale, scale: view.scale };
}

/** `factor` > 1 zooms in; the data under pixel (px, py) stays there. `scale` is held in [low, high]. */
export function zoomed(
  view: ViewBox,
  size: Size,
  px: number,
  py: number,
  factor: number,
  limits: [number, number] = [0, Number.POSITIVE_INFINITY],
): ViewBox {
  const scale = Math.min(limits[1], Math.max(limits[0], view.scale / factor));
  const [x, y] = toData(view, size, px, py);
  return {
    x: x - (px - size.width / 2) * scale,
    y: y + (py - size.height / 2) * scale,
    scale,
  };
}

/** The view that shows all of `box` inside the margins, as large as it goes. */
export function fitted(box: Box, size: Size, margins: Margins): ViewBox {
  const width = Math.max(1, size.width - margins.left - margins.right);
  const height = Math.max(1, size.height - margins.top - margins.bottom);
  // A single point has no extent; any scale shows it.
  const scale = Math.max((box.x1 - box.x0) / width, (box.y1 - box.y0) / height) || 1 / width;
  return {
    x: (box.x0 + box.x1) / 2 + ((margins.right - margins.left) / 2) * scale,
    y: (box.y0 + box.y1) / 2 + ((margins.top - margins.bottom) / 2) * scale,
    scale,
  };
}

export function visibleBox(view: ViewBox, size: Size, marginPx = 0): Box {
  const halfWidth = (size.width / 2 + marginPx) * view.scale;
  const halfHeight = (size.height / 2 + marginPx) * view.scale;
  return {
    x0: view.x - halfWidth,
    x1: view.x + halfWidth,
    y0: view.y - halfHeight,
    y1: view.y + halfHeight,
  };
}

/** Between two views: the zoom goes in equal ratios, and a zoom about a fixed point keeps that point. */
export function betweenViews(a: ViewBox, b: ViewBox, t: number): ViewBox {
  const scale = a.scale * (b.scale / a.scale) ** t;
  const isZoom = Math.abs(b.scale / a.scale - 1) > 1e-6;
  const share = isZoom ? (scale - a.scale) / (b.scale - a.scale) : t;
  return { x: a.x + (b.x - a.x) * share, y: a.y + (b.y - a.y) * share, scale };
}

/** Slow, fast, slow: t and the answer in [0, 1]. */
export function ease(t: number): number {
  return t < 0.5 ? 4 * t ** 3 : 1 - (2 - 2 * t) ** 3 / 2;
}
