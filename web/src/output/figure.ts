/** The map as a figure that stands by itself: title, points, names, legend and scale. */

import { colorChoices } from "../state/coloring";
import { type Coloring, css } from "../state/colors";
import type { Explorer } from "../state/explorer";
import { count, number } from "../state/origin";
import { EXAMPLE_SIDE, TEXT_HEIGHT } from "../view/labels";
import { withAlpha } from "../view/theme";
import type { Label, Still } from "../view/view";
import { FAMILY, type Pen, pngPen, svgPen } from "./pens";

const TITLE = 56;
const MARGIN = 16;
const LINE = 24;
const DOT = 5;
/** Names in the legend; the map itself shows no more colours that one could tell apart. */
const MOST_NAMED = 60;
const GRADIENT = { width: 200, height: 12, steps: 64 };
const SCALE_PX = 110;

export async function mapFigure(
  explorer: Explorer,
  still: Still,
  format: "png" | "svg",
): Promise<Blob> {
  const { width, height } = still.size;
  const legend = legendOf(explorer.coloring.value, still, width);
  const tall = TITLE + height + legend.height + MARGIN;
  const pixelRatio = still.ground.width / width || 1;
  const pen = format === "png" ? pngPen(width, tall, pixelRatio) : svgPen(width, tall);
  const { ink, muted, background } = still.theme;
  pen.rect(0, 0, width, tall, background);
  pen.text(MARGIN, 21, titleOf(explorer), { size: 17, weight: 650, fill: ink });
  pen.text(MARGIN, 42, aboutOf(explorer), { size: 12.5, fill: muted });
  drawMap(pen, still, format);
  pen.rect(0, TITLE, width, 1, still.theme.hairline);
  pen.rect(0, TITLE + height, width, 1, still.theme.hairline);
  legend.draw(pen, TITLE + height + 8);
  drawScale(pen, explorer, still, TITLE + height - 14);
  return pen.file();
}

const titleOf = (explorer: Explorer): string =>
  `${explorer.manifest.title} · ${explorer.latentMap().label}`;

function aboutOf(explorer: Explorer): string {
  const { nShown, n, color, manifest } = explorer;
  const shown = nShown.value < n ? `${count(nShown.value)} of ${count(n)}` : count(n);
  const by = colorChoices(explorer).find(({ name }) => name === color.value)?.title ?? "";
  return `${manifest.data} · ${shown} pictures · coloured by ${by} · ${manifest.generator}`;
}

function drawMap(pen: Pen, still: Still, format: "png" | "svg"): void {
  const { width, height } = still.size;
  const { dots, labels } = still;
  if (format === "svg" && dots) {
    for (const { x, y, radius, color, opacity } of dots)
      pen.circle(x, y + TITLE, radius, color, opacity);
  } else pen.image(still.ground, 0, TITLE, width, height);
  pen.image(still.marks, 0, TITLE, width, height);
  for (const label of labels) drawLabel(pen, still, label);
}

function drawLabel(pen: Pen, still: Still, { text, color, row, ...box }: Label): void {
  const { theme } = still;
  const example = row >= 0 ? still.example(row) : null;
  let top = TITLE + box.y - box.height / 2;
  if (example) {
    const side = EXAMPLE_SIDE - 4;
    pen.rect(box.x - side / 2 - 1.5, top - 0.5, side + 3, side + 3, color ?? theme.ink, 3);
    pen.image(example, box.x - side / 2, top + 1, side, side);
    top += EXAMPLE_SIDE;
  }
  if (!text) return;
  const left = box.x - box.width / 2;
  pen.rect(left, top + 1, box.width, TEXT_HEIGHT - 2, withAlpha(theme.background, 0.84), 9);
  if (color) pen.circle(left + 9, top + TEXT_HEIGHT / 2, 4, color);
  const style = { size: 12.5, weight: 600, fill: theme.ink };
  pen.text(left + (color ? 17 : 11), top + TEXT_HEIGHT / 2, text, style);
}

interface Legend {
  height: number;
  draw(pen: Pen, top: number): void;
}

function legendOf(coloring: Coloring, { theme, context }: Still, width: number): Legend {
  if (coloring.scale) {
    const { title, low, high, unit, color, about } = coloring.scale;
    return {
      height: LINE + 8,
      draw(pen, top) {
        const middle = top + LINE / 2;
        let x = MARGIN;
        const say = (text: string, fill: string) => {
          pen.text(x, middle, text, { fill });
          context.font = `13px ${FAMILY}`;
          x += context.measureText(text).width + 10;
        };
        const decimals = high - low > 20 ? 0 : 2;
        say(title, theme.ink);
        say(number(low, decimals), theme.ink);
        const step = GRADIENT.width / GRADIENT.steps;
        for (let i = 0; i < GRADIENT.steps; i++) {
          const fill = css(color(i / (GRADIENT.steps - 1)));
          pen.rect(x + i * step, middle - 6, step + 0.5, GRADIENT.height, fill);
        }
        x += GRADIENT.width + 10;
        say(`${number(high, decimals)} ${unit}`.trim(), theme.ink);
        say(about, theme.muted);
      },
    };
  }
  const shades = coloring.shades.slice(0, MOST_NAMED);
  context.font = `13px ${FAMILY}`;
  let [x, line] = [MARGIN, 0];
  const placed = shades.map(({ name, rgb, count: n }) => {
    const text = `${name}  ${count(n)}`;
    const wide = context.measureText(text).width + 2 * DOT + 22;
    if (x + wide > width - MARGIN && x > MARGIN) [x, line] = [MARGIN, line + 1];
    const at = { x, line, text, rgb };
    x += wide;
    return at;
  });
  return {
    height: (line + 1) * LINE + 8,
    draw(pen, top) {
      for (const each of placed) {
        const middle = top + (each.line + 0.5) * LINE;
        pen.circle(each.x + DOT, middle, DOT, css(each.rgb));
        pen.text(each.x + 2 * DOT + 6, middle, each.text, { fill: theme.ink });
      }
    },
  };
}

/** A bar of a round length in units of the map, at its lower left. */
function drawScale(pen: Pen, explorer: Explorer, { view, theme, size }: Still, y: number): void {
  const map = explorer.latentMap();
  const length = roundBelow(SCALE_PX * view.scale);
  const wide = length / view.scale;
  const x = size.width - MARGIN - wide;
  const unit = map.isLinear ? "of the latent space" : "of the map";
  pen.rect(x, y, wide, 2, theme.ink);
  pen.rect(x, y - 4, 1.5, 6, theme.ink);
  pen.rect(x + wide - 1.5, y - 4, 1.5, 6, theme.ink);
  const text = `${Number(length.toPrecision(2))} units ${unit}`;
  pen.text(x + wide, y - 12, text, { size: 11.5, fill: theme.muted, anchor: "end" });
}

/** 1, 2 or 5 times a power of ten, at most `most`. */
export function roundBelow(most: number): number {
  const power = 10 ** Math.floor(Math.log10(most));
  return [5, 2, 1].map((k) => k * power).find((length) => length <= most) ?? power;
}
