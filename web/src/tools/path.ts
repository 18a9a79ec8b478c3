import { openTab } from "../state/actions";
import { drawPath } from "../state/actions_path";
import { Stroke } from "./stroke";
import type { Tool } from "./tool";

/** Dragged free hand, or clicked: the second click ends it, with shift held it goes on. */
export const path: Tool = {
  name: "path",
  title: "Path",
  does: "two clicks, or a line drawn free hand",
  key: "P",
  icon: "M4 15.500C7 15.500 6 5 10 5s3 6 6 5M4 15.500m-1.600 0a1.600 1.600 0 1 0 3.200 0a1.600 1.600 0 1 0-3.200 0M16 10m-1.600 0a1.600 1.600 0 1 0 3.200 0a1.600 1.600 0 1 0-3.200 0",
  create(explorer) {
    let stroke: Stroke | null = null;
    let corners: number[] = [];
    let pointer: number[] = [];
    const draw = (points: number[]): void => {
      drawPath(explorer, Float32Array.from(points));
      openTab(explorer, "path");
    };
    return {
      cursor: "crosshair",
      isDrawing: true,
      get outline() {
        const points = stroke?.points ?? [...corners, ...pointer];
        return points.length ? { points, isClosed: false } : null;
      },
      click({ x, y }, shift) {
        corners.push(x, y);
        pointer = [];
        if (corners.length < 4 || shift) return;
        const points = corners;
        corners = [];
        draw(points);
      },
      drag({ x, y }, phase, scale) {
        if (phase === "start") {
          corners = [];
          pointer = [];
          stroke = new Stroke();
        }
        stroke?.add(x, y, scale);
        if (phase !== "end" || !stroke) return;
        const { points } = stroke;
        stroke = null;
        draw(points);
      },
      /** A band from the last corner to the pointer. */
      hover({ x, y }) {
        if (corners.length) pointer = [x, y];
        return corners.length > 0;
      },
      cancel() {
        const wasDrawing = stroke !== null || corners.length > 0;
        stroke = null;
        corners = [];
        pointer = [];
        return wasDrawing;
      },
    };
  },
};
