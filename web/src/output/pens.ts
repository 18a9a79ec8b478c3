/** One drawing, as pixels or as SVG. Lengths are CSS pixels. */

export interface TextStyle {
  size?: number;
  weight?: number;
  fill: string;
  anchor?: "start" | "end" | "middle";
}

export interface Pen {
  rect(x: number, y: number, width: number, height: number, fill: string, radius?: number): void;
  circle(x: number, y: number, radius: number, fill: string, opacity?: number): void;
  text(x: number, y: number, text: string, style: TextStyle): void;
  image(canvas: HTMLCanvasElement, x: number, y: number, width: number, height: number): void;
  file(): Promise<Blob>;
}

export const FAMILY = "system-ui, -apple-system, Segoe UI, Roboto, sans-serif";

export function pngPen(width: number, height: number, pixelRatio: number): Pen {
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(width * pixelRatio);
  canvas.height = Math.round(height * pixelRatio);
  const context = canvas.getContext("2d")!;
  context.scale(pixelRatio, pixelRatio);
  context.textBaseline = "middle";
  context.imageSmoothingEnabled = false;
  return {
    rect(x, y, w, h, fill, radius = 0) {
      context.fillStyle = fill;
      context.beginPath();
      context.roundRect(x, y, w, h, radius);
      context.fill();
    },
    circle(x, y, radius, fill, opacity = 1) {
      context.globalAlpha = opacity;
      context.fillStyle = fill;
      context.beginPath();
      context.arc(x, y, radius, 0, 2 * Math.PI);
      context.fill();
      context.globalAlpha = 1;
    },
    text(x, y, text, { size = 13, weight = 400, fill, anchor = "start" }) {
      context.font = `${weight} ${size}px ${FAMILY}`;
      context.textAlign = anchor === "middle" ? "center" : anchor;
      context.fillStyle = fill;
      context.fillText(text, x, y);
    },
    image: (picture, x, y, w, h) => context.drawImage(picture, x, y, w, h),
    file: () =>
      new Promise((resolve, reject) => {
        canvas.toBlob((blob) =>
          blob ? resolve(blob) : reject(new Error("The map could not be written as PNG.")),
        );
      }),
  };
}

export function svgPen(width: number, height: number): Pen {
  const parts: string[] = [];
  const n = (value: number): string => String(Number(value.toFixed(2)));
  const safe = (text: string): string =>
    text.replace(/[&<>"]/g, (each) => `&#${each.charCodeAt(0)};`);
  return {
    rect(x, y, w, h, fill, radius = 0) {
      const round = radius ? ` rx="${n(radius)}"` : "";
      parts.push(
        `<rect x="${n(x)}" y="${n(y)}" width="${n(w)}" height="${n(h)}"${round} fill="${fill}"/>`,
      );
    },
    circle(x, y, radius, fill, opacity = 1) {
      const seen = opacity < 1 ? ` fill-opacity="${n(opacity)}"` : "";
      parts.push(`<circle cx="${n(x)}" cy="${n(y)}" r="${n(radius)}" fill="${fill}"${seen}/>`);
    },
    text(x, y, text, { size = 13, weight = 400, fill, anchor = "start" }) {
      parts.push(
        `<text x="${n(x)}" y="${n(y + 0.35 * size)}" font-size="${size}" font-weight="${weight}" ` +
          `fill="${fill}" text-anchor="${anchor}">${safe(text)}</text>`,
      );
    },
    image(picture, x, y, w, h) {
      parts.push(
        `<image x="${n(x)}" y="${n(y)}" width="${n(w)}" height="${n(h)}" ` +
          `style="image-rendering:pixelated" href="${picture.toDataURL()}"/>`,
      );
    },
    async file() {
      const [w, h] = [n(width), n(height)];
      const head = `<svg xmlns="http://www.w3.org/2000/svg" width="${w}" height="${h}" viewBox="0 0 ${w} ${h}"`;
      const body = `${head} font-family="${FAMILY}">\n${parts.join("\n")}\n</svg>\n`;
      return new Blob([body], { type: "image/svg+xml" });
    },
  };
}
