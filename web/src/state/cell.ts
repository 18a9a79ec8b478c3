import { useEffect, useReducer } from "preact/hooks";

/** A value that can be watched. Setting the value it has tells nobody. */
export interface Cell<T> {
  readonly value: T;
  set(value: T): void;
  /** Returns the unsubscriber. */
  subscribe(listener: (value: T) => void): () => void;
}

export function cell<T>(initial: T): Cell<T> {
  let value = initial;
  const listeners = new Set<(value: T) => void>();
  return {
    get value() {
      return value;
    },
    set(next) {
      if (Object.is(next, value)) return;
      value = next;
      for (const listener of [...listeners]) listener(value);
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** Calls `listener` at every change of any of the cells. */
export function watch(cells: readonly Cell<unknown>[], listener: () => void): () => void {
  const stops = cells.map((each) => each.subscribe(listener));
  return () => stops.forEach((stop) => stop());
}

/** As `watch`, at most once a frame and after the event that changed them. */
export function watchFrames(cells: readonly Cell<unknown>[], listener: () => void): () => void {
  let request = 0;
  const stop = watch(cells, () => {
    request ||= requestAnimationFrame(() => {
      request = 0;
      listener();
    });
  });
  return () => {
    stop();
    cancelAnimationFrame(request);
  };
}

/** The value of a cell, in a component that is drawn anew when it changes. */
export function useCell<T>(source: Cell<T>): T {
  const [, redraw] = useReducer((count: number) => count + 1, 0);
  const shown = source.value;
  useEffect(() => {
    // It may have changed between drawing and now.
    if (!Object.is(shown, source.value)) redraw(undefined);
    return source.subscribe(() => redraw(undefined));
  }, [source]);
  return shown;
}
