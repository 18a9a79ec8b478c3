import { goToPlace, settle, walkTo } from "../state/actions";
import type { Tool } from "./tool";

export const walk: Tool = {
  name: "walk",
  title: "Walk",
  does: "drag to decode every place",
  key: "W",
  icon: "M10 3v14M3 10h14M10 10m-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0",
  create(explorer) {
    let isOnTheWay = false;
    const stop = (): void => {
      if (isOnTheWay) settle(explorer);
      isOnTheWay = false;
    };
    return {
      cursor: "crosshair",
      click: (hit) => goToPlace(explorer, hit),
      drag({ x, y }, phase) {
        walkTo(explorer, x, y, false);
        isOnTheWay = true;
        if (phase === "end") stop();
      },
      cancel() {
        stop(); // what was decoded on the way has been seen
        return false;
      },
    };
  },
};
