import { goToPlace } from "../state/actions";
import type { Tool } from "./tool";

export const pan: Tool = {
  name: "pan",
  title: "Move",
  does: "drag to move the map",
  key: "M",
  icon: "M10 2v16M2 10h16M10 2l-2.5 2.5M10 2l2.5 2.5M10 18l-2.5-2.5M10 18l2.5-2.5M2 10l2.5-2.5M2 10l2.5 2.5M18 10l-2.5-2.5M18 10l-2.5 2.5",
  create: (explorer) => ({
    cursor: "grab",
    isPanning: true,
    click: (hit) => goToPlace(explorer, hit),
  }),
};
