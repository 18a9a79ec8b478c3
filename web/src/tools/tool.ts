import type { Explorer } from "../state/explorer";
import type { MapTool } from "../view/view";

/** What pointing at the map does. A new one is a file beside this one and a line in `tools.ts`. */
export interface Tool {
  /** In addresses. */
  name: string;
  title: string;
  /** What it does, in a few words. */
  does: string;
  /** The key that takes it. */
  key: string;
  /** Lines in a square of 20 by 20, as SVG has them. */
  icon: string;
  create(explorer: Explorer): MapTool;
}
