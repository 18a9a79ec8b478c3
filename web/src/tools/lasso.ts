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
    return {
      cursor: "crosshair",
      isDrawing: true,
      get outline() {
        return stroke && { points: stroke.points, isClosed: true };
      },
      click: () => clearSelection(explorer),
      drag({ x, y }, phase, scale) {
        if (phase === "start") stroke = new Stroke();
        stroke?.add(x, y, scale);
        if (phase !== "end" || !stroke) return;
        const { points } = stroke;
        stroke = null;
        if (points.length >= 6) selectInside(explorer, Float32Array.from(points));
        else clearSelection(explorer);
      },
      cancel() {
        const wasDrawing = stroke !== null;
        stroke = null;
        return wasDrawing;
      },
    };
  },
};
