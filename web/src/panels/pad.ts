import type { Point, Stroke } from "../state/sketch";

/** A pad to draw on, with mouse, pen and fingers. */
export interface Pad {
  clear(): void;
  /** Takes the last stroke away. */
  undo(): void;
  /** Others are on it now: those of another moment. */
  show(strokes: readonly Stroke[]): void;
  /** Asks for what is on it. */
  ask(): void;
  destroy(): void;
}

/** Of the pad's side; MNIST's pens are about as thick. */
const PEN = 0.075;

/**
 * @param strokes that are on it already
 * @param onStrokes called when they are others, before the ink of them
 * @param onInk the ink (side, side) in [0, 1], while drawing and when a stroke is done
 */
export function createPad(
  canvas: HTMLCanvasElement,
  strokes: readonly Stroke[],
  onStrokes: (strokes: readonly Stroke[]) => void,
  onInk: (ink: Float32Array, side: number, isDone: boolean) => void,
): Pad {
  const side = canvas.width;
  const context = canvas.getContext("2d", { willReadFrequently: true })!;
  let pointer = -1;
  let request = 0;

  function redraw(): void {
    context.fillStyle = "#000";
    context.fillRect(0, 0, side, side);
    context.strokeStyle = context.fillStyle = "#fff";
    context.lineWidth = PEN * side;
    context.lineCap = context.lineJoin = "round";
    for (const stroke of strokes) {
      context.beginPath();
      context.moveTo(...stroke[0]);
      // A line to where it began is the dot of a single touch.
      for (const point of stroke) context.lineTo(...point);
      context.stroke();
    }
  }

  function put(next: readonly Stroke[]): void {
    strokes = next;
    redraw();
    onStrokes(strokes);
  }

  function tell(isDone: boolean): void {
    if (!strokes.length) return;
    const { data } = context.getImageData(0, 0, side, side);
    onInk(
      Float32Array.from({ length: side * side }, (_, i) => data[4 * i] / 255),
      side,
      isDone,
    );
  }

  const placeOf = (event: PointerEvent): Point => {
    const box = canvas.getBoundingClientRect();
    return [
      ((event.clientX - box.left) / box.width) * side,
      ((event.clientY - box.top) / box.height) * side,
    ];
  };
  const down = (event: PointerEvent): void => {
    if (pointer >= 0 || event.button !== 0) return;
    pointer = event.pointerId;
    canvas.setPointerCapture(pointer);
    put([...strokes, [placeOf(event)]]);
    event.preventDefault();
  };
  const move = (event: PointerEvent): void => {
    if (event.pointerId !== pointer) return;
    const finer = event.getCoalescedEvents?.() ?? [];
    strokes.at(-1)!.push(...(finer.length ? finer : [event]).map(placeOf));
    redraw();
    request ||= requestAnimationFrame(() => {
      request = 0;
      tell(false);
    });
  };
  const up = (event: PointerEvent): void => {
    if (event.pointerId !== pointer) return;
    pointer = -1;
    cancelAnimationFrame(request);
    request = 0;
    tell(true);
  };
  const listeners = { pointerdown: down, pointermove: move, pointerup: up, pointercancel: up };
  for (const [name, listener] of Object.entries(listeners))
    canvas.addEventListener(name, listener as EventListener);
  redraw();
  return {
    clear: () => put([]),
    undo() {
      put(strokes.slice(0, -1));
      tell(true);
    },
    show(next) {
      if (next === strokes) return;
      strokes = next;
      redraw();
    },
    ask: () => tell(true),
    destroy() {
      cancelAnimationFrame(request);
      for (const [name, listener] of Object.entries(listeners))
        canvas.removeEventListener(name, listener as EventListener);
    },
  };
}
