import { createContext } from "preact";
import { useContext, useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { type Cell, watch } from "../state/cell";
import type { Explorer } from "../state/explorer";
import type { Thumbnails } from "../state/thumbnails";

export interface Page {
  explorer: Explorer;
  thumbnails: Thumbnails;
  /** Whether a second map is shown beside the first, and its page once there is one. */
  beside: Cell<boolean>;
  toggleBeside(): void;
  /** It fills the page, and hears keys wherever they are pressed. */
  ownsPage: boolean;
  /** Names of elements, unique where several explorers share a page. */
  id(name: string): string;
}

export const PageContext = createContext<Page | null>(null);

export const usePage = (): Page => useContext(PageContext)!;

/** The value of a cell once it has stayed the same for a moment: for what need not follow the hand. */
export function useRested<T>(source: Cell<T>, ms = 80): T {
  const [value, setValue] = useState(source.value);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    setValue(() => source.value);
    const stop = source.subscribe(() => {
      clearTimeout(timer);
      timer = setTimeout(() => setValue(() => source.value), ms);
    });
    return () => {
      clearTimeout(timer);
      stop();
    };
  }, [source]);
  return value;
}

/**
 * Runs now and whenever one of the cells has changed. For canvases and sliders, which Preact need not see; at
 * once, so that they never say otherwise than the text beside them.
 */
export function useChanges(cells: readonly Cell<unknown>[], draw: () => void): void {
  const latest = useRef(draw);
  latest.current = draw;
  useLayoutEffect(() => {
    latest.current();
    return watch(cells, () => latest.current());
  }, [...cells]);
}
