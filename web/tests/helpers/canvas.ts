/** What was drawn, with the colour and the opacity it had. */
export interface Drawn {
  kind: string;
  at: number[];
  color: string;
  opacity: number;
}

/** A canvas that draws nothing and remembers all. */
export function recorder(drawn: Drawn[]): CanvasRenderingContext2D {
  const look: Record<string, unknown> = {};
  const remember =
    (kind: string) =>
    (...values: unknown[]) => {
      const at = values.filter((value) => typeof value === "number");
      drawn.push({ kind, at, color: String(look.fillStyle), opacity: Number(look.globalAlpha) });
      return { width: 0 }; // of a text
    };
  return new Proxy(look, {
    get: (_, name: string) => (name in look ? look[name] : remember(name)),
  }) as unknown as CanvasRenderingContext2D;
}
