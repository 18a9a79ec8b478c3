/** What else is known of every point, as the page uses it: values to look up, to count and to name. */
import type { Manifest } from "../scene/manifest";
import { type Scene, SceneError } from "../scene/source";
import { dateText, type Unit, unitOf } from "./dates";

interface Named {
  /** In addresses and in Python. */
  readonly name: string;
  /** What a person reads. */
  readonly title: string;
  /** Points without a value. */
  readonly missing: number;
}

export interface NumberColumn extends Named {
  readonly kind: "number" | "date";
  readonly values: Float64Array | Float32Array; // NaN where missing
  readonly isWhole: boolean;
  /** Of dates: what they are told to. */
  readonly unit: Unit;
}

export interface CategoryColumn extends Named {
  readonly kind: "category";
  readonly codes: Int32Array; // indices into `categories`; others are missing
  readonly categories: readonly string[];
}

export interface TextColumn extends Named {
  readonly kind: "text" | "file";
  readonly texts: readonly (string | null)[];
}

export type Column = NumberColumn | CategoryColumn | TextColumn;
/** What can be brushed or picked from. */
export type Facet = NumberColumn | CategoryColumn;

export const isFacet = (column: Column): column is Facet =>
  column.kind !== "text" && column.kind !== "file";

/** The columns of a scene, in its order. */
export function readColumns(scene: Scene): Column[] {
  const n = scene.manifest.points.n;
  return (scene.manifest.columns ?? []).map((spec): Column => {
    const { name, missing } = spec;
    const named = { name, title: name, missing };
    switch (spec.kind) {
      case "category":
        return {
          ...named,
          kind: spec.kind,
          codes: scene.ints(spec.codes),
          categories: spec.categories,
        };
      case "number":
      case "date":
        return numbers(named, spec.kind, scene.doubles(spec.values));
      default:
        return { ...named, kind: spec.kind, texts: readTexts(scene, spec.texts, n) };
    }
  });
}

function numbers(
  named: Named,
  kind: "number" | "date",
  values: Float64Array | Float32Array,
): NumberColumn {
  const isWhole = values.every((value) => Number.isNaN(value) || Number.isInteger(value));
  const unit = kind === "date" ? unitOf(values) : "day";
  return { ...named, kind, values, isWhole: isWhole && kind === "number", unit };
}

function readTexts(scene: Scene, block: string, n: number): (string | null)[] {
  const isText = (value: unknown): boolean => typeof value === "string" || value === null;
  try {
    const texts: unknown = JSON.parse(new TextDecoder().decode(scene.raw(block)));
    if (Array.isArray(texts) && texts.length === n && texts.every(isText)) return texts;
  } catch {
    // Said below.
  }
  throw new SceneError(`The block “${block}” is damaged: it is no list of ${n} texts.`);
}

/** The class of every point as a column, or null: labels below 0 are not known. */
export function classColumn(manifest: Manifest, labels: Int32Array | null): CategoryColumn | null {
  if (!labels) return null;
  const { classNames } = manifest;
  const k = classNames.length;
  let missing = 0;
  for (const label of labels) missing += label >= 0 && label < k ? 0 : 1;
  const named = { name: "class", title: "class", missing };
  return { ...named, kind: "category", codes: labels, categories: classNames };
}

/** What a picture costs, as columns. */
export const costColumns = (scene: Scene): NumberColumn[] =>
  [
    ["error", "reconstruction error"],
    ["kl", "KL divergence"],
  ].map(([name, title]) =>
    numbers(
      { name, title, missing: 0 },
      "number",
      scene.floats(scene.manifest.points[name as "error" | "kl"]),
    ),
  );

/** Whether a point has no value there. */
export function isMissing(column: Column, row: number): boolean {
  if (column.kind === "category") return !(column.codes[row] in column.categories);
  if ("texts" in column) return column.texts[row] === null;
  return Number.isNaN(column.values[row]);
}

/** A number with as many digits as one reads. */
export const numberText = (value: number, isWhole: boolean): string =>
  String(isWhole ? value : Number(value.toPrecision(4))).replace(/^-/, "−");

/** The value of a point as a person reads it; empty where missing. */
export function valueText(column: Column, row: number): string {
  if (isMissing(column, row)) return "";
  if (column.kind === "category") return column.categories[column.codes[row]];
  if ("texts" in column) return column.texts[row]!;
  const value = column.values[row];
  return column.kind === "date" ? dateText(value, column.unit) : numberText(value, column.isWhole);
}

/** Where nearly all values lie: without the few that would leave no room for the others. */
export function rangeOf({ values }: NumberColumn): [low: number, high: number] {
  const sorted = Float64Array.from(values.filter((value) => !Number.isNaN(value))).sort();
  if (!sorted.length) return [0, 0];
  const at = (share: number): number => sorted[Math.round(share * (sorted.length - 1))];
  const [low, high] = [at(0.005), at(0.995)];
  const isWide = at(1) - at(0) > 3 * (high - low) && high > low;
  return isWide ? [low, high] : [at(0), at(1)];
}
