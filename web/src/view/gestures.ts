/** Where a pointer is: CSS pixels in the map, and in the window. */
export interface Pointer {
  px: number;
  py: number;
  clientX: number;
  clientY: number;
  shift: boolean;
}

export interface GestureHandlers {
  /** Whether dragging with one finger or the main button moves the map. */
  isPanning(): boolean;
  pan(dx: number, dy: number): void;
  zoom(px: number, py: number, factor: number): void;
  hover(pointer: Pointer | null): void;
  click(pointer: Pointer): void;
  doubleClick(pointer: Pointer): void;
  dragStart(pointer: Pointer): void;
  dragMove(pointer: Pointer): void;
  dragEnd(pointer: Pointer): void;
  /** A second finger came, or the system took the pointer away. */
  dragCancel(pointer: Pointer): void;
  /** "idle" | "pan" | "drag": for the cursor. */
  phase(phase: "idle" | "pan" | "drag"): void;
}

const SLOP = { mouse: 3, pen: 5, touch: 9 }; // pixels a click may tremble
const DOUBLE_MS = 320;
const DOUBLE_PX = 24;
const WHEEL_RATE = 0.0016; // doublings by e per pixel of wheel
const LINE_PX = 16;

type Phase = "idle" | "press" | "pan" | "drag" | "pinch";

interface Active {
  pointer: Pointer;
  start: Pointer;
  type: string;
}

/** Turns pointer and wheel events of `canvas` into clicks, drags, pans and zooms. Returns what undoes it. */
export function attachGestures(canvas: HTMLElement, handlers: GestureHandlers): () => void {
  const active = new Map<number, Active>();
  let phase: Phase = "idle";
  let lastClick = { time: Number.NEGATIVE_INFINITY, px: 0, py: 0 };
  let isSpaceDown = false;
  let lastDragged!: Pointer; // set before any drag

  const pointerOf = (event: MouseEvent): Pointer => {
    const rect = canvas.getBoundingClientRect();
    return {
      px: event.clientX - rect.left,
      py: event.clientY - rect.top,
      clientX: event.clientX,
      clientY: event.clientY,
      shift: event.shiftKey,
    };
  };
  const enter = (next: Phase) => {
    phase = next;
    handlers.phase(next === "drag" ? "drag" : next === "pan" || next === "pinch" ? "pan" : "idle");
  };

  const down = (event: PointerEvent) => {
    const isMiddle = event.button === 1;
    if (event.button > 1) return;
    if (isMiddle) event.preventDefault(); // no autoscroll
    const pointer = pointerOf(event);
    try {
      canvas.setPointerCapture(event.pointerId);
    } catch {
      // The pointer may be gone already; then its "up" has been or will be "cancel".
    }
    active.set(event.pointerId, { pointer, start: pointer, type: event.pointerType });
    handlers.hover(null);
    if (active.size === 1) return enter(isMiddle || isSpaceDown ? "pan" : "press");
    if (phase === "drag") handlers.dragCancel(lastDragged);
    enter("pinch");
  };

  const move = (event: PointerEvent) => {
    const finger = active.get(event.pointerId);
    const pointer = pointerOf(event);
    if (!finger) {
      if (event.pointerType !== "touch") handlers.hover(pointer);
      return;
    }
    const before = finger.pointer;
    if (phase === "pinch") {
      const other = [...active.values()].find((one) => one !== finger)?.pointer;
      finger.pointer = pointer;
      if (other) pinch(before, pointer, other);
      return;
    }
    if (phase === "press") {
      const slop = SLOP[finger.type as keyof typeof SLOP] ?? SLOP.mouse;
      if (Math.hypot(pointer.px - finger.start.px, pointer.py - finger.start.py) <= slop) return;
      const isPan = handlers.isPanning();
      enter(isPan ? "pan" : "drag");
      lastDragged = finger.start;
      if (!isPan) handlers.dragStart(finger.start);
    }
    finger.pointer = pointer;
    if ((phase as Phase) === "pan") handlers.pan(pointer.px - before.px, pointer.py - before.py);
    if ((phase as Phase) !== "drag") return;
    lastDragged = pointer;
    handlers.dragMove(pointer);
  };

  const pinch = (before: Pointer, after: Pointer, other: Pointer) => {
    const distance = (p: Pointer) => Math.max(10, Math.hypot(p.px - other.px, p.py - other.py));
    handlers.pan((after.px - before.px) / 2, (after.py - before.py) / 2);
    const middle = [(after.px + other.px) / 2, (after.py + other.py) / 2];
    handlers.zoom(middle[0], middle[1], distance(after) / distance(before));
  };

  const up = (event: PointerEvent) => {
    const finger = active.get(event.pointerId);
    if (!finger) return;
    active.delete(event.pointerId);
    const pointer = pointerOf(event);
    if (phase === "drag") handlers.dragEnd(pointer);
    if (phase === "press") clicked({ ...finger.start, shift: pointer.shift });
    // The finger that is left after a pinch goes on panning; it must not begin to draw.
    enter(active.size ? "pan" : "idle");
  };

  const clicked = (pointer: Pointer) => {
    const time = performance.now();
    const isNear = Math.hypot(pointer.px - lastClick.px, pointer.py - lastClick.py) < DOUBLE_PX;
    const isDouble = time - lastClick.time < DOUBLE_MS && isNear;
    lastClick = {
      time: isDouble ? Number.NEGATIVE_INFINITY : time,
      px: pointer.px,
      py: pointer.py,
    };
    if (isDouble) handlers.doubleClick(pointer);
    else handlers.click(pointer);
  };

  const cancel = (event: PointerEvent) => {
    if (!active.delete(event.pointerId)) return;
    if (phase === "drag") handlers.dragCancel(lastDragged);
    enter(active.size ? "pan" : "idle");
  };

  const wheel = (event: WheelEvent) => {
    event.preventDefault();
    const pixels =
      event.deltaY * (event.deltaMode === 1 ? LINE_PX : event.deltaMode === 2 ? 400 : 1);
    // A pinch on a touch pad comes as a wheel with ctrl and small steps.
    const rate = event.ctrlKey ? 6 * WHEEL_RATE : WHEEL_RATE;
    const { px, py } = pointerOf(event);
    handlers.zoom(px, py, Math.exp(-Math.max(-500, Math.min(500, pixels)) * rate));
  };

  const leave = () => {
    if (!active.size) handlers.hover(null);
  };
  const space = (event: KeyboardEvent) => {
    if (event.key === " ") isSpaceDown = event.type === "keydown";
  };
  const blur = () => {
    isSpaceDown = false;
  };

  const listeners: [string, EventListener, AddEventListenerOptions?][] = [
    ["pointerdown", down as EventListener],
    ["pointermove", move as EventListener],
    ["pointerup", up as EventListener],
    ["pointercancel", cancel as EventListener],
    ["pointerleave", leave],
    ["wheel", wheel as EventListener, { passive: false }],
    ["keydown", space as EventListener],
    ["keyup", space as EventListener],
    ["blur", blur],
  ];
  for (const [name, listener, options] of listeners)
    canvas.addEventListener(name, listener, options);
  return () => {
    for (const [name, listener] of listeners) canvas.removeEventListener(name, listener);
  };
}
