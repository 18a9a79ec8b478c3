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
