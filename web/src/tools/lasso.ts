import { say } from "../state/actions";
import { clearSelection, selectInside } from "../state/actions_selection";
import { Stroke } from "./stroke";
import type { Tool } from "./tool";

/** Dragged around points. A mere click lets go of the selection. */
export const lasso: Tool = {
  name: "lasso",
  title: "Lasso",
  does: "draw around points to select them",
  key: "O",
  icon: "M6.5 14.5C3.5 13.5 2 11.500 2 9.200C2 5.500 5.600 3 10 3s8 2.500 8 6.200s-3.600 6.200-8 6.200c-1.200 0-2.400-.2-3.500-.6M6.500 14.500c1.500 0 1.800 2.500-.8 3",
  create(explorer) {
    let stroke: Stroke | null = null;
    // Set one by one, from the keyboard.
    let corners: number[] = [];
    let here: number[] = [];
    const close = (points: number[]): void => {
      if (points.length >= 6) selectInside(explorer, Float32Array.from(points));
      else clearSelection(explorer);
    };
    return {
      cursor: "crosshair",
      isDrawing: true,
      get outline() {
        const points = stroke?.points ?? [...corners, ...here];
        return points.length ? { points, isClosed: true } : null;
      },
      click: () => clearSelection(explorer),
      drag({ x, y }, phase, scale) {
        if (phase === "start") {
          corners = [];
          here = [];
          stroke = new Stroke();
        }
        stroke?.add(x, y, scale);
        if (phase !== "end" || !stroke) return;
        const { points } = stroke;
        stroke = null;
        close(points);
      },
      press({ x, y }, shift) {
        corners.push(x, y);
        here = [];
        if (!shift) {
          const n = corners.length / 2;
          const next =
            n < 3 ? "Enter sets the next" : "Enter sets another, Shift and Enter the last";
          return say(explorer, `Corner ${n} of the lasso. Arrow keys move the map; ${next}.`);
        }
        const points = corners;
        corners = [];
        say(explorer, "");
        close(points);
      },
      hover({ x, y }) {
        here = corners.length ? [x, y] : [];
        return corners.length > 0;
      },
      cancel() {
        const wasDrawing = stroke !== null || corners.length > 0;
        if (corners.length) say(explorer, "");
        stroke = null;
        corners = [];
        here = [];
        return wasDrawing;
      },
    };
  },
};
