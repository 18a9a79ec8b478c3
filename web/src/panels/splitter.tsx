import { useRef, useState } from "preact/hooks";

const LEAST = 300;
const MAP_LEAST = 320;
const STEP = 24;

/** Between the map and the side bar: dragged, or moved by arrow keys; a double click takes it back. */
export function Splitter() {
  const bar = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState<number | null>(null);
  const app = (): HTMLElement => bar.current!.parentElement!;
  const now = (): number => width ?? bar.current!.nextElementSibling!.clientWidth;
  const set = (wanted: number | null) => {
    const most = Math.max(app().clientWidth - MAP_LEAST, LEAST);
    const next = wanted === null ? null : Math.round(Math.min(Math.max(wanted, LEAST), most));
    if (next === null) app().style.removeProperty("--zs-side");
    else app().style.setProperty("--zs-side", `${next}px`);
    setWidth(next);
  };
  const drag = (event: PointerEvent) => {
    if (!bar.current!.hasPointerCapture(event.pointerId)) return;
    set(app().getBoundingClientRect().right - event.clientX);
  };
  return (
    <div
      ref={bar}
      class="zs-splitter"
      role="separator"
      aria-label="Width of the side bar"
      aria-orientation="vertical"
      aria-valuenow={width ?? 0}
      aria-valuetext={width === null ? "as wide as fits" : `${width} pixels`}
      tabIndex={0}
      onPointerDown={(event) => bar.current!.setPointerCapture(event.pointerId)}
      onPointerMove={drag}
      onDblClick={() => set(null)}
      onKeyDown={(event) => {
        const step = { ArrowLeft: STEP, ArrowRight: -STEP }[event.key];
        if (step) set(now() + step);
        else if (event.key === "Enter") set(null);
        else return;
        event.preventDefault();
      }}
    />
  );
}
