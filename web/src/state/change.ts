import type { Source } from "./cell";
import type { Explorer, State } from "./explorer";

/** Sets a cell of the explorer. For actions, and for nobody else: see the rule in biome.json. */
export function change<K extends keyof State>(explorer: Explorer, key: K, value: State[K]): void {
  (explorer[key] as unknown as Source<State[K]>).set(value);
}
