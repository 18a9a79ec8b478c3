/** Semi-axes and direction (radians from the x axis) of the ellipse x' C⁻¹ x = 1; cov: xx, xy, yy. */
export function ellipseOf(cov: readonly [number, number, number]): {
  major: number;
  minor: number;
  angle: number;
} {
  const [xx, xy, yy] = cov;
  const mean = (xx + yy) / 2;
  const spread = Math.hypot((xx - yy) / 2, xy);
  return {
    major: Math.sqrt(Math.max(0, mean + spread)),
    minor: Math.sqrt(Math.max(0, mean - spread)),
    angle: Math.atan2(2 * xy, xx - yy) / 2,
  };
}
