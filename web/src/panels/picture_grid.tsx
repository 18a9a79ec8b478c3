import { useEffect, useRef, useState } from "preact/hooks";
import { type Cell, watch } from "../state/cell";
import { createSlices } from "../state/slices";
import { toImage } from "../state/thumbnails";
import { usePage } from "./context";
import { named } from "./picture";

interface Props {
  columns: number;
  rows: number;
  /** Writes the vector of one picture, in rows from the top left. */
  vector(at: number, out: Float32Array): void;
  /** All pictures are decoded anew when one of these changes, or `version`. */
  cells: readonly Cell<unknown>[];
  version: string;
  label: string;
  /** What one picture is, in a few words. */
  nameOf(at: number): string;
  onChoose(at: number, z: Float32Array): void;
}

const GAP = 1; // pixels of the pictures
const BATCH = 8;

/** A grid of decoded pictures on one canvas, drawn a few at a time. Arrow keys go from one to the next, Enter takes it. */
export function PictureGrid(props: Props) {
  const { explorer, id } = usePage();
  const { columns, rows, cells, label } = props;
  const [active, setActive] = useState(0);
  // Keys come faster than the page is drawn: they go on from here, not from what was drawn last.
  const held = useRef(0);
  const hold = (which: number): void => {
    held.current = which;
    setActive(which);
  };
  const [isFocused, setFocused] = useState(false);
  const at = Math.min(active, columns * rows - 1);
  const canvas = useRef<HTMLCanvasElement>(null);
  const latest = useRef(props);
  latest.current = props;
  const restart = useRef<() => void>(() => undefined);
  const { look } = explorer;
  const [, height, width] = look;
  const [stepX, stepY] = [width + GAP, height + GAP];

  useEffect(() => {
    const decode = (first: number, n: number): void | Promise<void> => {
      const vectors = new Float32Array(n * explorer.dim);
      const { columns: across } = latest.current;
      for (let i = 0; i < n; i++) vectors.set(vectorOf(first + i), i * explorer.dim);
      const draw = (pixels: Float32Array): void => {
        const context = canvas.current?.getContext("2d");
        const size = pixels.length / n;
        for (let i = 0; i < n; i++) {
          const [column, row] = [(first + i) % across, Math.floor((first + i) / across)];
          context?.putImageData(toImage(pixels, i * size, look), column * stepX, row * stepY);
        }
      };
      const answer = explorer.decoder.value!.decode(vectors, n);
      if (answer instanceof Promise) return answer.then(draw);
      draw(answer);
    };
    const running = createSlices(() => latest.current.columns * latest.current.rows, decode, BATCH);
    // What is scrolled out of sight is decoded when it comes back.
    let isSeen = false;
    let isStale = true;
    const start = (): void => {
      isStale = true;
      if (!isSeen || !explorer.decoder.value?.canDecode) return;
      isStale = false;
      running.restart();
    };
    restart.current = start;
    const observer = new IntersectionObserver((entries) => {
      isSeen = entries.at(-1)!.isIntersecting;
      if (isSeen && isStale) start();
    });
    observer.observe(canvas.current!);
    const stop = watch([...cells, explorer.decoder], start);
    return () => {
      observer.disconnect();
      stop();
      running.stop();
    };
  }, []);
  useEffect(() => restart.current(), [props.version, columns, rows]);

  function vectorOf(which: number): Float32Array {
    const out = explorer.current.value.z.slice();
    latest.current.vector(which, out);
    return out;
  }
  const choose = (which: number): void => props.onChoose(which, vectorOf(which));
  const click = (event: MouseEvent): void => {
    const box = canvas.current!.getBoundingClientRect();
    const column = Math.floor(((event.clientX - box.left) / box.width) * columns);
    const row = Math.floor(((event.clientY - box.top) / box.height) * rows);
    if (column < 0 || column >= columns || row < 0 || row >= rows) return;
    hold(row * columns + column);
    choose(row * columns + column);
  };
  const press = (event: KeyboardEvent): void => {
    const here = Math.min(held.current, columns * rows - 1);
    const steps: Record<string, number> = {
      ...{ ArrowLeft: here % columns ? -1 : 0, ArrowRight: (here + 1) % columns ? 1 : 0 },
      ...{ ArrowUp: -columns, ArrowDown: columns, Home: -here, End: columns * rows - 1 - here },
    };
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key in steps) {
      const next = here + steps[event.key];
      if (next >= 0 && next < columns * rows) hold(next);
    } else if (event.key === "Enter" || event.key === " ") choose(here);
    else return;
    event.preventDefault();
  };
  const cell = id(`cell-${label}`.replace(/\W+/g, "-"));
  return (
    <div
      class="zs-cells"
      role="grid"
      aria-label={`${label}. Arrow keys choose one, Enter takes it.`}
      aria-rowcount={rows}
      aria-colcount={columns}
      aria-activedescendant={cell}
      tabIndex={0}
      onClick={click}
      onKeyDown={press}
      onFocus={() => setFocused(true)}
      onBlur={() => setFocused(false)}
    >
      <canvas
        ref={canvas}
        class="zs-grid"
        width={columns * stepX - GAP}
        height={rows * stepY - GAP}
        {...named("")}
      />
      <div role="row" aria-rowindex={Math.floor(at / columns) + 1}>
        <span
          id={cell}
          role="gridcell"
          class="zs-cell"
          data-seen={isFocused}
          aria-colindex={(at % columns) + 1}
          aria-label={props.nameOf(at)}
          style={{
            left: `${(100 * (at % columns)) / columns}%`,
            top: `${(100 * Math.floor(at / columns)) / rows}%`,
            width: `${100 / columns}%`,
            height: `${100 / rows}%`,
          }}
        />
      </div>
    </div>
  );
}
