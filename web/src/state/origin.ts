import type { Manifest } from "../scene/manifest";

/** How the current vector came about. */
export type Origin =
  | { kind: "row"; row: number }
  | { kind: "place"; map: string; x: number; y: number; distance: number; roundTrip: number }
  | { kind: "neuron"; neuron: number }
  | { kind: "class"; index: number }
  | { kind: "sum"; text: string }
  | { kind: "drawn"; variances: Float32Array | null }
  | { kind: "random" }
  | { kind: "mean" }
  | { kind: "path"; stop: number } // from 0; a fraction: between two
  | { kind: "given" };

export interface Current {
  z: Float32Array; // (latentDim); never changed in place
  origin: Origin;
}

/** A whole number with its thousands apart. The browser's own way is slow the first time. */
export const count = (n: number): string => String(n).replace(/\B(?=(\d{3})+$)/g, " ");

/** A number as people read it: a true minus, and no minus before zero. */
export function number(value: number, decimals = 2): string {
  const text = value.toFixed(decimals);
  return Number(text) === 0 ? text.replace("-", "") : text.replace("-", "−");
}

export const className = (manifest: Manifest, label: number): string =>
  manifest.classNames[label] ?? "unknown";

/** One line that says what the current picture is. */
export function describe(
  origin: Origin,
  manifest: Manifest,
  labelOf: (row: number) => number | null,
  indexOf: (row: number) => number,
): string {
  switch (origin.kind) {
    case "row": {
      const label = labelOf(origin.row);
      const name = label === null || label < 0 ? "" : `, “${className(manifest, label)}”`;
      return `Picture ${count(indexOf(origin.row))} of the data${name}`;
    }
    case "place":
      return `On the map at ${number(origin.x, 1)}, ${number(origin.y, 1)}`;
    case "neuron":
      return `Neuron ${manifest.neurons[origin.neuron]!.name} moved`;
    case "class":
      return `Mean of all “${className(manifest, origin.index)}”`;
    case "sum":
      return origin.text;
    case "drawn":
      return "Your drawing";
    case "random":
      return "Random, from the prior";
    case "mean":
      return "The mean of the selection";
    case "path":
      return Number.isInteger(origin.stop)
        ? `On the path, stop ${origin.stop + 1}`
        : `On the path, between stops ${Math.floor(origin.stop) + 1} and ${Math.ceil(origin.stop) + 1}`;
    case "given":
      return "A vector";
  }
}
