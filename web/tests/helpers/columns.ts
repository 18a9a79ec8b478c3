/** A scene with columns of every kind, for tests. */
import { loadScene } from "../../src/scene/load_scene";
import { createExplorer } from "../../src/state/create_explorer";
import type { Explorer } from "../../src/state/explorer";
import { addBlock, memorySource, type Parts, smallScene } from "./scenes";

export const DAY = 86_400_000;
export const FIRST = Date.UTC(2024, 0, 1);
export const N = 60;

/** 60 points: area = row / 10 with gaps, cells = row % 7, day, treatment with gaps, 25 plates, notes, files. */
export function parts(n = N): Parts {
  const made = smallScene(n);
  const rows = Array.from({ length: n }, (_, row) => row);
  const numbers = (name: string, values: number[]): string => {
    addBlock(made, name, "f64", [n], Float64Array.from(values));
    return name;
  };
  const codes = (name: string, values: number[]): string => {
    addBlock(made, name, "i32", [n], Int32Array.from(values));
    return name;
  };
  const texts = (name: string, values: (string | null)[]): string => {
    const bytes = new TextEncoder().encode(JSON.stringify(values));
    addBlock(made, name, "u8", [bytes.length], bytes);
    return name;
  };
  made.manifest.columns = [
    {
      kind: "file",
      name: "file_name",
      missing: 0,
      texts: texts(
        "c0",
        rows.map((r) => `a/${r}.png`),
      ),
    },
    {
      kind: "number",
      name: "area",
      missing: 6,
      values: numbers(
        "c1",
        rows.map((r) => (r % 10 ? r / 10 : Number.NaN)),
      ),
    },
    {
      kind: "number",
      name: "cells",
      missing: 0,
      values: numbers(
        "c2",
        rows.map((r) => r % 7),
      ),
    },
    {
      kind: "category",
      name: "treatment",
      missing: 20,
      codes: codes(
        "c3",
        rows.map((r) => (r % 3) - 1),
      ),
      categories: ["A", "B, b"],
    },
    {
      kind: "category",
      name: "plate",
      missing: 0,
      codes: codes(
        "c4",
        rows.map((r) => (r < 25 ? r : r % 5)),
      ),
      categories: Array.from({ length: 25 }, (_, i) => `p${i}`),
    },
    {
      kind: "date",
      name: "day",
      missing: 0,
      values: numbers(
        "c5",
        rows.map((r) => FIRST + r * DAY),
      ),
    },
    {
      kind: "text",
      name: "note",
      missing: 30,
      texts: texts(
        "c6",
        rows.map((r) => (r % 2 ? `Say "${r}"` : null)),
      ),
    },
  ];
  return made;
}

/** An explorer over them. */
export async function columnsExplorer(n = N): Promise<Explorer> {
  const { manifest, bytes } = parts(n);
  return createExplorer(await loadScene(memorySource(manifest, bytes)), {
    isDark: false,
    tools: ["walk"],
    tabs: ["neurons", "columns", "select"],
  });
}
