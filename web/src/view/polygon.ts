/** Whether (x, y) is inside the closed polygon (x0, y0, x1, y1 …), by the even-odd rule. */
export function isInside(polygon: ArrayLike<number>, x: number, y: number): boolean {
  let inside = false;
  const n = polygon.length / 2;
  for (let i = 0, j = n - 1; i < n; j = i++) {
    const yi = polygon[2 * i + 1];
    const yj = polygon[2 * j + 1];
    if (yi > y === yj > y) continue;
    const xi = polygon[2 * i];
    if (x < xi + ((polygon[2 * j] - xi) * (y - yi)) / (yj - yi)) inside = !inside;
  }
  return inside;
}

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
