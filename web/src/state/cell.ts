import { useLayoutEffect, useReducer } from "preact/hooks";

/** A value that can be watched. */
export interface Cell<T> {
  readonly value: T;
  /** `listener` is told that the value may be another. Returns the unsubscriber. */
  subscribe(listener: () => void): () => void;
}

/** A cell of its own, that is set from outside. Setting the value it has tells nobody. */
export interface Source<T> extends Cell<T> {
  set(value: T): void;
}

export function cell<T>(initial: T): Source<T> {
  let value = initial;
  const listeners = new Set<() => void>();
  return {
    get value() {
      return value;
    },
    set(next) {
      if (Object.is(next, value)) return;
      value = next;
      for (const listener of [...listeners]) listener();
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** What follows from other cells: worked out when it is looked at, once for the same values of `from`. */
export function derived<T>(from: readonly Cell<unknown>[], work: () => T): Cell<T> {
  let known: { of: unknown[]; value: T } | null = null;
  return {
    get value() {
      const of = from.map((each) => each.value);
      if (!known?.of.every((each, i) => Object.is(each, of[i]))) known = { of, value: work() };
      return known.value;
    },
    subscribe: (listener) => watch(from, listener),
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
  useLayoutEffect(() => {
    // It may have changed between drawing and now.
    if (!Object.is(shown, source.value)) redraw(undefined);
    return source.subscribe(() => redraw(undefined));
  }, [source]);
  return shown;
}
