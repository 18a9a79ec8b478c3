/** How a map sees latent vectors: standardised or not, and, if it is linear, along which axes. */
import type { MapSpec } from "../scene/manifest";
import type { Scene } from "../scene/source";

/** Into what the map was made of, and back. */
export interface Scaling {
  scale(z: Float32Array): Float32Array;
  unscale(x: Float64Array): Float32Array;
}

export function createScaling(scene: Scene, spec: MapSpec["standardize"]): Scaling {
  if (!spec) return { scale: (z) => z, unscale: (x) => Float32Array.from(x) };
  const shift = scene.floats(spec.shift);
  const scale = scene.floats(spec.scale);
  const d = shift.length;
  return {
    scale: (z) => z.map((value, i) => (value - shift[i % d]) / scale[i % d]),
    unscale: (x) => Float32Array.from(x, (value, i) => value * scale[i % d] + shift[i % d]),
  };
}

/** coordinates = (x - centre) · axesᵀ; the axes (2, d) are orthonormal. */
export interface Linear {
  axes: ArrayLike<number>;
  centre: ArrayLike<number>;
}

export function project({ axes, centre }: Linear, x: ArrayLike<number>, at = 0): [number, number] {
  const d = centre.length;
  let [first, second] = [0, 0];
  for (let i = 0; i < d; i++) {
    const offset = x[at + i] - centre[i];
    first += offset * axes[i];
    second += offset * axes[d + i];
  }
  return [first, second];
}

/** The point that lies exactly at (x, y) and otherwise is like `rest` (d). */
export function lift(linear: Linear, rest: ArrayLike<number>, x: number, y: number): Float64Array {
  const { axes, centre } = linear;
  const d = centre.length;
  const [restX, restY] = project(linear, rest);
  return Float64Array.from(
    { length: d },
    (_, i) => rest[i] + (x - restX) * axes[i] + (y - restY) * axes[d + i],
  );
}
