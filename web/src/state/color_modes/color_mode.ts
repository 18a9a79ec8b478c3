import type { Coloring } from "../colors";
import type { Explorer } from "../explorer";

/** A way to colour the points. A new one is a file beside this one and a line in `coloring.ts`. */
export interface ColorMode {
  /** Its colours, by the names that addresses and Python use; none where the scene has nothing to show. */
  choices(explorer: Explorer): { name: string; title: string }[];
  /** Of one of the choices. */
  create(explorer: Explorer, name: string): Coloring;
}
