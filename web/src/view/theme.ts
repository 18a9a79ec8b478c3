/** Colours of everything on the map that is not data; the same as in `styles.css`. */
export interface Theme {
  background: string;
  ink: string;
  muted: string;
  hairline: string;
  /** Focus, lasso, selection. */
  accent: string;
  /** How far to trust a picture: among the data, between, far from it. */
  trusted: string;
  doubtful: string;
  distrusted: string;
}

export const LIGHT: Theme = {
  background: "#ffffff",
  ink: "#1f2328",
  muted: "#59636e",
  hairline: "#d0d7de",
  accent: "#0969da",
  trusted: "#1a7f37",
  doubtful: "#9a6700",
  distrusted: "#cf222e",
};

export const DARK: Theme = {
  background: "#0f1318",
  ink: "#e6edf3",
  muted: "#9aa4af",
  hairline: "#30363d",
  accent: "#58a6ff",
  trusted: "#56d364",
  doubtful: "#e3b341",
  distrusted: "#ff7b72",
};

/** "#rrggbb" → three numbers in [0, 1]. */
export function rgbOf(hex: string): [number, number, number] {
  const value = Number.parseInt(hex.slice(1), 16);
  return [(value >> 16) / 255, ((value >> 8) & 255) / 255, (value & 255) / 255];
}

/** "#rrggbb" with an opacity in [0, 1], as CSS. */
export function withAlpha(hex: string, alpha: number): string {
  const byte = Math.round(255 * Math.min(1, Math.max(0, alpha)));
  return hex + byte.toString(16).padStart(2, "0");
}
