import { useEffect, useRef, useState } from "preact/hooks";
import { setCurrent, settle } from "../state/actions";
import { type Path, vectorAt } from "../state/path";
import { useChanges, usePage } from "./context";
import { Icon } from "./icons";

const SECONDS_PER_STOP = 0.35;

/**
 * Goes along the path, there and back again, and a slider to do it by hand. While a button or finger is down anywhere
 * nothing moves; it goes on from where the hand has left it, and ends where the hand has gone elsewhere.
 */
export function Play({ path }: { path: Path }) {
  const { explorer } = usePage();
  const [isPlaying, setPlaying] = useState(false);
  const slider = useRef<HTMLInputElement>(null);
  const last = path.n - 1;
  const go = (stop: number, isSettled: boolean) =>
    setCurrent(explorer, vectorAt(path, stop / last), { kind: "path", stop }, isSettled);
  /** Where the current vector is on the path; null: elsewhere. */
  const here = (): number | null => {
    const { origin } = explorer.current.value;
    return origin.kind === "path" && origin.stop <= last ? origin.stop : null;
  };
  useEffect(() => {
    if (!isPlaying) return;
    const isStill = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const perMs = 1 / (1000 * SECONDS_PER_STOP * (isStill ? 2 : 1));
    let way = here() ?? 0; // stops gone, there and back
    let before = performance.now();
    let isHeld = false;
    let mine = explorer.current.value;
    let request = 0;
    const step = (now: number): void => {
      request = requestAnimationFrame(step);
      const passed = Math.max(now - before, 0);
      before = now;
      if (isHeld) return;
      if (explorer.current.value !== mine) {
        const stop = here();
        if (stop === null) return setPlaying(false); // gone elsewhere
        way = stop;
      }
      way = (way + passed * perMs) % (2 * last);
      const at = way <= last ? way : 2 * last - way;
      go(isStill ? Math.round(at) : at, false);
      mine = explorer.current.value;
    };
    const hold = (event: Event): void => {
      isHeld = event.type === "pointerdown";
    };
    const ends = ["pointerdown", "pointerup", "pointercancel"];
    for (const name of ends) addEventListener(name, hold, true);
    request = requestAnimationFrame(step);
    return () => {
      cancelAnimationFrame(request);
      for (const name of ends) removeEventListener(name, hold, true);
      if (explorer.current.value === mine) settle(explorer); // one can undo to where it stopped
    };
  }, [isPlaying, path]);
  useChanges([explorer.current], () => {
    const stop = here();
    if (!slider.current || stop === null) return;
    slider.current.value = String(stop);
    slider.current.setAttribute("aria-valuetext", `stop ${(stop + 1).toFixed(1)}`);
  });
  return (
    <span class="zs-play">
      <button type="button" aria-pressed={isPlaying} onClick={() => setPlaying(!isPlaying)}>
        <Icon name={isPlaying ? "pause" : "play"} />
        {isPlaying ? "Stop" : "Play"}
      </button>
      <input
        ref={slider}
        type="range"
        min={0}
        max={last}
        step="any"
        defaultValue="0"
        aria-label="Along the path"
        onInput={({ currentTarget }) => go(currentTarget.valueAsNumber, false)}
        onChange={() => settle(explorer)}
      />
    </span>
  );
}
