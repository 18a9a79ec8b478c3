import { type Cell, cell } from "./cell";

/** What was, what is, and what was undone; the latest last. */
export interface History<T> {
  readonly canUndo: Cell<boolean>;
  readonly canRedo: Cell<boolean>;
  /** Remembers where one is now. Forgets what was undone. */
  push(state: T): void;
  undo(): T | null;
  redo(): T | null;
}

/** @param limit how many steps back are kept */
export function createHistory<T>(
  first: T,
  isSame: (a: T, b: T) => boolean = Object.is,
  limit = 200,
): History<T> {
  const past: T[] = [first];
  let future: T[] = [];
  const canUndo = cell(false);
  const canRedo = cell(false);
  const tell = () => {
    canUndo.set(past.length > 1);
    canRedo.set(future.length > 0);
  };
  return {
    canUndo,
    canRedo,
    push(state) {
      if (isSame(state, past.at(-1)!)) return;
      past.push(state);
      if (past.length > limit + 1) past.shift();
      future = [];
      tell();
    },
    undo() {
      if (past.length < 2) return null;
      future.push(past.pop()!);
      tell();
      return past[past.length - 1]!;
    },
    redo() {
      const state = future.pop();
      if (state === undefined) return null;
      past.push(state);
      tell();
      return state;
    },
  };
}
