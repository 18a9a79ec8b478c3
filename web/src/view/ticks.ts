/** Round numbers in [low, high], about `wanted` of them, 1, 2 or 5 times a power of ten apart. */
export function ticks(
  low: number,
  high: number,
  wanted: number,
): { values: number[]; digits: number; step: number } {
  if (!(high > low) || wanted < 1) return { values: [], digits: 0, step: 0 };
  const rough = (high - low) / wanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  // The nearest in ratio: 1.4 is as far from 1 as from 2.
  const step =
    power * ([1, 2, 5].find((factor, i) => rough / power < factor * [1.4, 1.6, 1.4][i]) ?? 10);
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  const values = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + 1e-9 * step; i++)
    values.push(i * step || 0);
  return { values, digits, step };
}

/** With a true minus sign, as the figures have it. */
export function tickLabel(value: number, digits: number): string {
  return value.toFixed(digits).replace("-", "−");
}
