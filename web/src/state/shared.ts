import type { Shared, SharedState } from "../scene/source";
import { setColor, setCurrent, setFilters, setMap, setTold } from "./actions";
import { clearPath, followVectors } from "./actions_path";
import { giveSelections, select } from "./actions_selection";
import type { Explorer } from "./explorer";
import { readFilters, writeFilters } from "./filters";
import { rowsOf } from "./path";
import { writeSelections } from "./selections";

/** While dragging, Python hears of the last of these many milliseconds. */
const PAUSE_MS = 60;

/** Keeps the widget's traits and the explorer the same. Returns the end of it. */
export function followShared(explorer: Explorer, shared: SharedState): () => void {
  const { dim, current, selection, selections, path, map, color, told, filters } = explorer;
  const names = explorer.manifest.condition?.names ?? [];
  let isReading = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let waiting: Partial<Shared> = {};

  const send = (values: Partial<Shared>): void => {
    if (isReading) return;
    waiting = { ...waiting, ...values };
    timer ??= setTimeout(() => {
      timer = undefined;
      shared.set(waiting);
      waiting = {};
    }, PAUSE_MS);
  };
  const readers: { [K in keyof Shared]: (value: Shared[K]) => void } = {
    z: (value) => {
      if (Array.isArray(value) && value.length === dim && value.every(Number.isFinite)) {
        setCurrent(explorer, Float32Array.from(value), { kind: "given" });
      }
    },
    selection: (value) => {
      if (Array.isArray(value)) select(explorer, value);
    },
    selections: (value) => giveSelections(explorer, value),
    path: (value) => {
      if (!Array.isArray(value) || !value.every((z) => z.length === dim)) return;
      if (value.length) followVectors(explorer, Float32Array.from(value.flat()), value.length);
      else clearPath(explorer);
    },
    map: (value) => setMap(explorer, value),
    color: (value) => setColor(explorer, value),
    condition: (value) => setTold(explorer, names.indexOf(value)),
    filter: (value) => setFilters(explorer, readFilters(explorer.facets, value)),
  };
  const read = (key: keyof Shared): void => {
    isReading = true;
    delete waiting[key]; // it is older than what came
    try {
      (readers[key] as (value: unknown) => void)?.(shared.get(key));
    } finally {
      isReading = false;
    }
  };
  for (const key of [
    "map",
    "selections",
    "color",
    "condition",
    "filter",
    "selection",
    "path",
    "z",
  ] as const) {
    // What Python has not set yet is empty.
    if (Object.keys(shared.get(key) ?? {}).length) read(key);
  }
  const stops = [
    current.subscribe(() => send({ z: [...current.value.z] })),
    selection.subscribe(() => send({ selection: [...selection.value] })),
    selections.subscribe(() => {
      send({ selections: writeSelections(selections.value) });
    }),
    path.subscribe(() => {
      const way = path.value;
      send({ path: way ? rowsOf(way.vectors, way.n) : [] });
    }),
    map.subscribe(() => send({ map: map.value })),
    color.subscribe(() => send({ color: color.value })),
    told.subscribe(() => send({ condition: names[told.value] })),
    filters.subscribe(() => send({ filter: writeFilters(explorer) })),
    shared.onChange(read),
  ];
  send({ z: [...current.value.z], map: map.value, color: color.value });
  if (names.length) send({ condition: names[told.value] });
  return () => {
    clearTimeout(timer);
    stops.forEach((stop) => stop());
  };
}
