/**
 * One vector as a Python dict, as `zscape.latents.format_vector` writes it: paste it into whatever
 * takes a vector.
 */
export function vectorText(z: ArrayLike<number>, decimals = 2): string {
  const entries = Array.from(z, (value, i) => {
    const text = value.toFixed(decimals);
    return `${i}: ${Number(text) === 0 ? text.replace("-", "") : text}`;
  });
  return `{${entries.join(", ")}}`;
}

/** Several, as a list of such dicts, one a line. */
export const vectorsText = (vectors: readonly ArrayLike<number>[], decimals = 2): string =>
  `[\n${vectors.map((z) => `    ${vectorText(z, decimals)},\n`).join("")}]`;

/** Reads "{0: -0.5, 3: 1}", "[0.1, 0.2]" or bare numbers; the neurons a dict leaves out are 0. Null: cannot. */
export function readVector(text: string, dim: number): Float32Array | null {
  const z = new Float32Array(dim);
  const body = text.trim();
  if (body.startsWith("{")) {
    for (const entry of body.replace(/^\{|,?\s*\}$/g, "").split(",")) {
      const match = /^\s*["']?z?(\d+)["']?\s*:\s*([-+.\deE]+)\s*$/.exec(entry);
      if (!match || Number(match[1]) >= dim || !Number.isFinite(Number(match[2]))) return null;
      z[Number(match[1])] = Number(match[2]);
    }
    return z;
  }
  const parts = body
    .replace(/^\[|\]$/g, "")
    .split(/[\s,]+/)
    .filter(Boolean);
  const values = parts.map(Number);
  return values.length === dim && values.every(Number.isFinite) ? Float32Array.from(values) : null;
}

/** Named vectors as JSON: name → numbers, in nine digits, by which they come back as they were. */
export const shelfText = (kept: readonly { name: string; z: ArrayLike<number> }[]): string =>
  JSON.stringify(
    Object.fromEntries(
      kept.map(({ name, z }) => [name, Array.from(z, (value) => Number(value.toPrecision(9)))]),
    ),
    null,
    1,
  );

/** What `shelfText` has written; null of what is not vectors of `dim` numbers under names. */
export function readShelf(text: string, dim: number): { name: string; z: Float32Array }[] | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return null;
  const entries = Object.entries(value as Record<string, unknown>);
  const isVector = (z: unknown): z is number[] =>
    Array.isArray(z) && z.length === dim && z.every(Number.isFinite);
  if (!entries.length || !entries.every(([name, z]) => name.trim() && isVector(z))) return null;
  return entries.map(([name, z]) => ({ name, z: Float32Array.from(z as number[]) }));
}
