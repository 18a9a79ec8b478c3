import type { Explorer } from "../../src/state/explorer";

/** Red, green and blue of a point. */
export function colorOf({ paint }: Explorer, row: number): number[] {
  const { codes, palette } = paint.value;
  return [...palette.subarray(4 * codes[row], 4 * codes[row] + 3)];
}
