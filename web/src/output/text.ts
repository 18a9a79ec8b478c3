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
