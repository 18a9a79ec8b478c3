// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { attachGestures } from "../src/view/gestures";
import { attachKeyboard } from "../src/view/keyboard";

/** Names of the calls with what the first argument says of them. */
function record(isPanning: boolean) {
  const calls: string[] = [];
  const at = (name: string) => (pointer: { px: number; py: number } | null) =>
    calls.push(pointer ? `${name} ${pointer.px},${pointer.py}` : name);
  const handlers = {
    isPanning: () => isPanning,
    pan: (dx: number, dy: number) => calls.push(`pan ${dx},${dy}`),
    zoom: (px: number, py: number, factor: number) =>
      calls.push(`zoom ${px},${py} ${factor.toFixed(2)}`),
    hover: () => {},
    click: at("click"),
    doubleClick: at("double"),
    dragStart: at("start"),
    dragMove: at("move"),
    dragEnd: at("end"),
    dragCancel: at("cancel"),
    phase: () => {},
  };
  return { calls, handlers };
}

describe("gestures", () => {
  let canvas: HTMLElement;
  let detach: () => void;
  const send = (
    type: string,
    x: number,
    y: number,
    more: PointerEventInit & { deltaY?: number } = {},
  ) => {
    const made =
      type === "wheel"
        ? new WheelEvent(type, { ...more, cancelable: true })
        : new PointerEvent(type, { pointerId: 1, pointerType: "mouse", ...more });
    Object.defineProperties(made, { clientX: { value: x }, clientY: { value: y } });
    if (more.deltaY !== undefined) Object.defineProperty(made, "deltaY", { value: more.deltaY });
    canvas.dispatchEvent(made);
    return made;
  };
  const attach = (isPanning: boolean) => {
    const { calls, handlers } = record(isPanning);
    detach = attachGestures(canvas, handlers);
    return calls;
  };

  beforeEach(() => {
    canvas = document.createElement("canvas");
    canvas.setPointerCapture = () => {};
  });
  afterEach(() => detach());

  it("a press that hardly moves is a click, two soon after are a double click", () => {
    const calls = attach(false);
    for (const x of [20, 22, 24]) {
      send("pointerdown", x, 30);
      send("pointermove", x + 2, 31);
      send("pointerup", x + 2, 31);
    }
    expect(calls).toEqual(["click 20,30", "double 22,30", "click 24,30"]);
  });

  it("a press that moves is a drag from where it began", () => {
    const calls = attach(false);
    send("pointerdown", 20, 30);
    send("pointermove", 21, 30);
    send("pointermove", 40, 30);
    send("pointermove", 50, 35);
    send("pointerup", 50, 36);
    expect(calls).toEqual(["start 20,30", "move 40,30", "move 50,35", "end 50,36"]);
  });

  it("drags move the map in pan mode, and with the middle button always", () => {
    for (const [isPanning, button] of [
      [true, 0],
      [false, 1],
    ] as const) {
      const calls = attach(isPanning);
      send("pointerdown", 20, 30, { button });
      send("pointermove", 40, 20);
      send("pointermove", 41, 22);
      send("pointerup", 41, 22);
      expect(calls).toEqual(["pan 20,-10", "pan 1,2"]);
      detach();
    }
  });

  it("holding space pans where dragging draws", () => {
    const calls = attach(false);
    canvas.dispatchEvent(new KeyboardEvent("keydown", { key: " " }));
    send("pointerdown", 0, 0);
    send("pointermove", 9, 0);
    send("pointerup", 9, 0);
    canvas.dispatchEvent(new KeyboardEvent("keyup", { key: " " }));
    expect(calls).toEqual(["pan 9,0"]);
  });

  it("a second finger ends a drawing and pinches about the middle", () => {
    const calls = attach(false);
    const touch = (pointerId: number) => ({ pointerId, pointerType: "touch" });
    send("pointerdown", 100, 100, touch(1));
    send("pointermove", 120, 100, touch(1));
    send("pointerdown", 220, 100, touch(2));
    send("pointermove", 320, 100, touch(2));
    send("pointerup", 320, 100, touch(2));
    send("pointermove", 125, 103, touch(1));
    send("pointerup", 125, 103, touch(1));
    expect(calls).toEqual([
      "start 100,100",
      "move 120,100",
      "cancel 120,100",
      "pan 50,0",
      "zoom 220,100 2.00",
      "pan 5,3",
    ]);
  });

  it("the wheel zooms at the pointer and does not scroll the page", () => {
    const calls = attach(true);
    const event = send("wheel", 7, 8, { deltaY: -100 });
    expect(event.defaultPrevented).toBe(true);
    expect(calls).toEqual([`zoom 7,8 ${Math.exp(0.16).toFixed(2)}`]);
  });

  it("nothing is heard after detaching", () => {
    const calls = attach(false);
    detach();
    send("pointerdown", 1, 1);
    send("pointerup", 1, 1);
    expect(calls).toEqual([]);
  });
});

describe("keys", () => {
  it("do what they say and leave the browser its own", () => {
    const canvas = document.createElement("canvas");
    const handlers = { pan: vi.fn(), zoom: vi.fn(), fit: vi.fn(), act: vi.fn(), escape: vi.fn() };
    attachKeyboard(canvas, handlers);
    const press = (key: string, more: KeyboardEventInit = {}) => {
      const event = new KeyboardEvent("keydown", { key, cancelable: true, ...more });
      canvas.dispatchEvent(event);
      return event.defaultPrevented;
    };
    expect(press("ArrowRight")).toBe(true);
    expect(handlers.pan).toHaveBeenLastCalledWith(-40, 0);
    press("ArrowUp", { shiftKey: true });
    expect(handlers.pan).toHaveBeenLastCalledWith(0, 160);
    press("+");
    press("-");
    expect(handlers.zoom.mock.calls[0][0] * handlers.zoom.mock.calls[1][0]).toBeCloseTo(1);
    press("0");
    expect(handlers.fit).toHaveBeenCalledOnce();
    press("Enter", { shiftKey: true });
    expect(handlers.act).toHaveBeenCalledWith(true);
    expect(press("Tab")).toBe(false);
    expect(press("Escape")).toBe(false); // nothing was being drawn: the page may have a use for it
    handlers.escape.mockReturnValue(true);
    expect(press("Escape")).toBe(true);
    expect(press("0", { ctrlKey: true })).toBe(false);
    expect(handlers.fit).toHaveBeenCalledOnce();
  });
});
