import { createLatest } from "../state/decoder";
import type { Explorer } from "../state/explorer";
import { className, count } from "../state/origin";
import type { Thumbnails } from "../state/thumbnails";
import type { Hit } from "../view/view";
import { paint, paintWhenReady } from "./picture";
import { shortened } from "./values";

export interface HoverCard {
  show(hit: Hit): void;
  destroy(): void;
}

const GAP = 14;
/** More than that covers the map. */
const MOST_COLUMNS = 8;
const MOST_LETTERS = 60;

/** What lies under the pointer: original, reconstruction, label, number, columns and vector. Drawn by hand, as it follows the mouse. */
export function createHoverCard(
  explorer: Explorer,
  thumbnails: Thumbnails,
  el: HTMLElement,
): HoverCard {
  const original = document.createElement("canvas");
  const decoded = document.createElement("canvas");
  const bars = document.createElement("canvas");
  const title = document.createElement("strong");
  const detail = document.createElement("span");
  const pictures = document.createElement("div");
  original.className = decoded.className = "zs-picture";
  bars.className = "zs-bars";
  pictures.className = "zs-card-pictures";
  pictures.append(original, decoded);
  const text = document.createElement("p");
  text.append(title, detail);
  const known = document.createElement("dl");
  known.className = "zs-values";
  // The file first: it is what one looks for.
  const columns = [...explorer.columns]
    .filter(({ missing }) => missing < explorer.n)
    .sort((a, b) => +(b.kind === "file") - +(a.kind === "file"));
  el.classList.toggle("zs-wide", columns.length > 0);
  el.append(pictures, text, ...(columns.length ? [known] : []), bars);
  el.setAttribute("aria-hidden", "true"); // the same is said of a chosen point beside the map

  let shown = -1;
  let forget = (): void => undefined;
  const reconstruct = createLatest<number, Float32Array>(
    // As what it is, whatever is chosen: a reconstruction.
    (row) => {
      const { mu, dim, codes } = explorer;
      return explorer.decoder.value!.decode(mu.slice(row * dim, (row + 1) * dim), 1, codes?.[row]);
    },
    (pixels, row) => row === shown && paint(decoded, pixels, 0, explorer.look),
    () => (decoded.hidden = true),
  );

  function fill(row: number): void {
    const { manifest, mu, dim } = explorer;
    const label = explorer.labels?.[row];
    title.textContent = label === undefined ? "" : className(manifest, label);
    detail.textContent = `no. ${count(explorer.indices[row])}`;
    const parts = columns.slice(0, MOST_COLUMNS).flatMap((column) => {
      const [dt, dd] = [document.createElement("dt"), document.createElement("dd")];
      dt.textContent = column.title;
      dd.textContent = shortened(column, row, MOST_LETTERS) || "–";
      return [dt, dd];
    });
    if (columns.length > MOST_COLUMNS) {
      const more = document.createElement("dt");
      more.textContent = `and ${columns.length - MOST_COLUMNS} more`;
      parts.push(more);
    }
    known.replaceChildren(...parts);
    forget();
    forget = paintWhenReady(original, thumbnails.pixels(row), thumbnails.look);
    decoded.hidden = !explorer.decoder.value?.canDecode;
    decoded.getContext("2d")?.clearRect(0, 0, decoded.width, decoded.height); // the answer may be long in coming
    if (!decoded.hidden) reconstruct(row);
    drawBars(bars, mu.subarray(row * dim, (row + 1) * dim), explorer);
  }

  function move({ clientX, clientY }: Hit): void {
    const frame = el.parentElement!.getBoundingClientRect();
    const { offsetWidth: width, offsetHeight: height } = el;
    const [x, y] = [clientX - frame.left, clientY - frame.top];
    const left = x + GAP + width > frame.width ? x - GAP - width : x + GAP;
    const top = y + GAP + height > frame.height ? y - GAP - height : y + GAP;
    el.style.transform = `translate(${Math.max(left, 4)}px, ${Math.max(top, 4)}px)`;
  }

  return {
    show(hit) {
      if (hit.row < 0) {
        el.hidden = true;
        shown = -1;
        return;
      }
      el.hidden = false;
      if (hit.row !== shown) {
        shown = hit.row;
        fill(hit.row);
      }
      move(hit);
    },
    destroy: () => el.replaceChildren(),
  };
}

const BARS_HEIGHT = 34;
const BARS_WIDTH = 132;

/** One bar a neuron, up or down from the middle, in the order of the model. */
function drawBars(canvas: HTMLCanvasElement, z: Float32Array, explorer: Explorer): void {
  const sharp = Math.min(devicePixelRatio || 1, 2);
  canvas.width = BARS_WIDTH * sharp;
  canvas.height = BARS_HEIGHT * sharp;
  const context = canvas.getContext("2d");
  if (!context) return;
  context.scale(sharp, sharp);
  const style = getComputedStyle(canvas);
  const limit = Math.max(
    ...explorer.manifest.neurons.map(({ low, high }) => Math.max(-low, high)),
    1e-6,
  );
  const step = BARS_WIDTH / z.length;
  const middle = BARS_HEIGHT / 2;
  const width = Math.max(step - Math.min(2, step / 4), 0.5);
  z.forEach((value, i) => {
    const tall = Math.min(Math.abs(value) / limit, 1) * (middle - 1);
    context.fillStyle = style.getPropertyValue(value >= 0 ? "--zs-plus" : "--zs-minus");
    context.fillRect(i * step, value >= 0 ? middle - tall : middle, width, Math.max(tall, 0.5));
  });
  context.fillStyle = style.getPropertyValue("--zs-hairline");
  context.fillRect(0, middle - 0.5, BARS_WIDTH, 1);
}
