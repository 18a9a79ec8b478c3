/** Colours mean the same everywhere: classes the house palette, quantities viridis, signed numbers red and blue. */

import type { CategoryColumn } from "./columns";

export type Rgb = readonly [number, number, number];

/** A place on a scale with its name. */
export interface Tick {
  at: number;
  text: string;
}

/** A scale of colours, as the legend shows it. */
export interface Scale {
  title: string;
  low: number;
  high: number;
  unit: string;
  /** @param t 0 at `low`, 1 at `high` */
  color(t: number): Rgb;
  /** What the numbers mean, in a few words. */
  about: string;
  /** Instead of both ends and the unit. */
  ticks?: readonly Tick[];
  /** Points without a value, which are grey. */
  missing?: number;
}

/** Values of a category that have one colour. */
export interface Shade {
  name: string;
  codes: readonly number[];
  count: number;
  rgb: Rgb;
}

/** What colours the points have: of a scale, by their values, or of a category. */
export type Coloring =
  | { scale: Scale; value(row: number): number }
  | { scale: null; column: CategoryColumn; shades: readonly Shade[] };

// The palette of zscape.figures.style. On black two of its colours could not be seen, so there it is
// lighter; any two stay at least 0.11 apart in OKLab for normal sight and the three dichromacies.
const ON_WHITE = "366382 f07213 00a294 8c62d6 eac414 74091e 08e6b7 985615 adaafd 51128d";
const ON_BLACK = "40657f ff7d00 00a295 9d70e5 efc900 9e3b3d 00e6b7 b36a38 aeabff 8348c4";
const VIRIDIS =
  "440154 48186a 472d7b 424086 3b528b 33638d 2c728e 26828e 21918c 1fa088 28ae80 3fbc73 5ec962 84d44b addc30 d8e219 fde725";
const RED_BLUE =
  "053061 175290 2a71b2 3f8ec0 6bacd1 9bc9e0 c2ddec e0ecf3 f7f6f6 fbe5d8 fbccb4 f5aa89 e48066 d05548 ba2832 930e26 67001f";
// Points in the middle would vanish on a white or a black page.
const SIGNED_ON_WHITE =
  "1b4f9c 2f6cb5 5288c4 7fa6d0 a9c0d6 c3cad3 d9b9ac e09a82 d9735d c64a3f a8202c";
const SIGNED_ON_BLACK =
  "6fb3ff 5b98e0 4a7ebd 40669a 3c4f73 4a4a50 77504a a85d50 d06d58 ee8064 ff9a78";

const parse = (text: string): Rgb[] =>
  text
    .split(" ")
    .map((hex) => [0, 2, 4].map((i) => parseInt(hex.slice(i, i + 2), 16)) as unknown as Rgb);

const PALETTES = { light: parse(ON_WHITE), dark: parse(ON_BLACK) };
const viridisStops = parse(VIRIDIS);
const redBlueStops = parse(RED_BLUE);
const signedStops = { light: parse(SIGNED_ON_WHITE), dark: parse(SIGNED_ON_BLACK) };

export const UNKNOWN: Rgb = [140, 147, 156];
/** Of values that share a group: greyer than any colour, and other than what is not known. */
export const OTHERS: Rgb = [104, 96, 88];

/** `n` colours; beyond ten they come again in darker tiers (on black: paler), as in the Python figures. */
export function classColors(n: number, dark: boolean): Rgb[] {
  const palette = dark ? PALETTES.dark : PALETTES.light;
  const tiers = Math.ceil(n / palette.length);
  const last = tiers === 2 ? 0.55 : 0.3;
  return Array.from({ length: n }, (_, i) => {
    const tier = Math.floor(i / palette.length);
    const shade = tiers < 2 ? 1 : 1 - ((1 - last) * tier) / (tiers - 1);
    const [r, g, b] = palette[i % palette.length]!;
    const toned = (v: number) => Math.round(dark ? 255 - (255 - v) * shade : v * shade);
    return [toned(r), toned(g), toned(b)];
  });
}

function between(stops: readonly Rgb[], t: number): Rgb {
  const at = Math.min(Math.max(t, 0), 1) * (stops.length - 1) || 0;
  const i = Math.min(Math.floor(at), stops.length - 2);
  const f = at - i;
  const [a, b] = [stops[i]!, stops[i + 1]!];
  return [0, 1, 2].map((c) => Math.round(a[c]! + f * (b[c]! - a[c]!))) as unknown as Rgb;
}

/** @param t 0…1 */
export const viridis = (t: number): Rgb => between(viridisStops, t);

/** White at 0.5, as in the Python figures: for tables, whose cells touch. @param t 0…1 */
export const redBlue = (t: number): Rgb => between(redBlueStops, t);

/** Grey at 0.5, for points on the page. @param t 0…1 */
export const signed = (t: number, dark: boolean): Rgb =>
  between(dark ? signedStops.dark : signedStops.light, t);

export const css = ([r, g, b]: Rgb): string => `rgb(${r} ${g} ${b})`;

/** A CSS gradient from left to right. */
export function gradient(scale: (t: number) => Rgb): string {
  const stops = Array.from({ length: 11 }, (_, i) => css(scale(i / 10)));
  return `linear-gradient(to right, ${stops.join(", ")})`;
}

/** Black or white, whichever is read better on it; at least 4.5 to 1 on any colour (WCAG 2.2, contrast ratio). */
export function inkOn(rgb: Rgb): string {
  const [r, g, b] = rgb.map((value) => ((value / 255 + 0.055) / 1.055) ** 2.4);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.179 ? "#000000" : "#ffffff";
}
