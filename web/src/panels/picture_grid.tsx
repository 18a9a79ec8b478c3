import { useEffect, useRef } from "preact/hooks";
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
  onChoose(at: number): void;
}

const GAP = 1; // pixels of the pictures
const BATCH = 8;

/** A grid of decoded pictures on one canvas, drawn a few at a time. */
export function PictureGrid(props: Props) {
  const { explorer } = usePage();
  const { columns, rows, cells, label } = props;
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
      const { columns: across, vector } = latest.current;
      for (let i = 0; i < n; i++) {
        const out = vectors.subarray(i * explorer.dim, (i + 1) * explorer.dim);
        out.set(explorer.current.value.z);
        vector(first + i, out);
      }
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

  const choose = (event: MouseEvent): void => {
    const box = canvas.current!.getBoundingClientRect();
    const column = Math.floor(((event.clientX - box.left) / box.width) * columns);
    const row = Math.floor(((event.clientY - box.top) / box.height) * rows);
    if (column >= 0 && column < columns && row >= 0 && row < rows)
      props.onChoose(row * columns + column);
  };
  return (
    <canvas
      ref={canvas}
      class="zs-grid"
      width={columns * stepX - GAP}
      height={rows * stepY - GAP}
      onClick={choose}
      {...named(label)}
    />
  );
}
