export interface KeyHandlers {
  pan(dx: number, dy: number): void; // pixels
  zoom(factor: number): void; // about the centre
  fit(): void;
  /** Enter: what a click in the centre of the map would do. */
  act(shift: boolean): void;
  /** Escape gives up what is being drawn. Whether there was anything: if not, the key is the page's. */
  escape(): boolean;
}

const STEP = 40;
const LARGE_STEP = 160;
const ARROWS: Record<string, [number, number]> = {
  ArrowLeft: [1, 0],
  ArrowRight: [-1, 0],
  ArrowUp: [0, 1],
  ArrowDown: [0, -1],
};

/** Arrows pan (shift: further), + and − zoom, 0 fits, Enter clicks in the centre. Returns what undoes it. */
export function attachKeyboard(canvas: HTMLElement, handlers: KeyHandlers): () => void {
  const press = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const arrow = ARROWS[event.key];
    const step = event.shiftKey ? LARGE_STEP : STEP;
    if (arrow) handlers.pan(arrow[0] * step, arrow[1] * step);
    else if (event.key === "+" || event.key === "=") handlers.zoom(1.4);
    else if (event.key === "-" || event.key === "_") handlers.zoom(1 / 1.4);
    else if (event.key === "0") handlers.fit();
    else if (event.key === "Enter") handlers.act(event.shiftKey);
    else if (event.key === "Escape") {
      if (!handlers.escape()) return;
    } else if (event.key !== " ") return; // space would scroll the page; held, it makes dragging pan
    event.preventDefault();
  };
  canvas.addEventListener("keydown", press);
  return () => canvas.removeEventListener("keydown", press);
}
