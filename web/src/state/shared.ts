import type { Shared, SharedState } from "../scene/source";
import { setCurrent, setMap } from "./actions";
import { hasColor } from "./coloring";
import { type Explorer, hasMap } from "./explorer";
import { pathThrough, rowsOf } from "./path";

/** While dragging, Python hears of the last of these many milliseconds. */
const PAUSE_MS = 60;

/** Keeps the widget's traits and the explorer the same. Returns the end of it. */
export function followShared(explorer: Explorer, shared: SharedState): () => void {
  const { n, dim, manifest } = explorer;
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
      if (Array.isArray(value))
        explorer.selection.set(value.filter((row) => Number.isInteger(row) && row >= 0 && row < n));
    },
    path: (value) => {
      if (!Array.isArray(value) || !value.every((z) => z.length === dim)) return;
      explorer.path.set(
        value.length
          ? pathThrough(explorer.latentMap(), Float32Array.from(value.flat()), value.length, "map")
          : null,
      );
    },
    map: (value) => {
      if (hasMap(manifest, value)) setMap(explorer, value);
    },
    color: (value) => {
      if (hasColor(explorer, value)) explorer.color.set(value);
    },
  };
  const read = (key: keyof Shared): void => {
    isReading = true;
    try {
      (readers[key] as (value: unknown) => void)?.(shared.get(key));
    } finally {
      isReading = false;
    }
  };
  for (const key of ["map", "color", "selection", "path", "z"] as const) {
    const value = shared.get(key);
    // What Python has not set yet is empty.
    if (value?.length) read(key);
  }
  const stops = [
    explorer.current.subscribe(({ z }) => send({ z: [...z] })),
    explorer.selection.subscribe((rows) => send({ selection: [...rows] })),
    explorer.path.subscribe((path) => send({ path: path ? rowsOf(path.vectors, path.n) : [] })),
    explorer.map.subscribe((map) => send({ map })),
    explorer.color.subscribe((color) => send({ color })),
    shared.onChange(read),
  ];
  send({ z: [...explorer.current.value.z], map: explorer.map.value, color: explorer.color.value });
  return () => {
    clearTimeout(timer);
    stops.forEach((stop) => stop());
  };
}
