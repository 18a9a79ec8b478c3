/** The kernels in plain TypeScript: where wasm or its SIMD is missing or forbidden. */
import type { Kernels, Window } from "./kernels";
import { PANEL } from "./pack";

export function createTypeScriptKernels(length: number): Kernels {
  const memory = new Float32Array(length);
  return {
    engine: "typescript",
    memory,
    gemm: (...places) => gemm(memory, ...places),
    im2col: (...places) => im2col(memory, ...places),
    col2im: (...places) => col2im(memory, ...places),
  };
}

function leaky(x: number, slope: number): number {
  return x > 0 ? x : slope * x;
}

function gemm(
  memory: Float32Array,
  a: number,
  b: number,
  bias: number,
  c: number,
  m: number,
  k: number,
  n: number,
  slope: number,
): void {
  const whole = m - (m % 4);
  for (let j = 0; j < n; j += 4) {
    const panel = b + (j - (j % PANEL)) * k + (j % PANEL);
    const count = Math.min(4, n - j);
    for (let i = 0; i < whole; i += 4) {
      tile(memory, a + i * k, panel, bias + j, c + i * n + j, k, n, count, slope);
    }
  }
  for (let i = whole; i < m; i++) {
    for (let j = 0; j < n; j += PANEL) {
      line(memory, a + i * k, b + j * k, bias + j, c + i * n + j, k, n - j, slope);
    }
  }
}

/** Four rows by four columns: sixteen sums in registers. */
function tile(
  memory: Float32Array,
  a: number,
  b: number,
  bias: number,
  c: number,
  k: number,
  n: number,
  count: number,
  slope: number,
): void {
  let s00 = memory[bias],
    s01 = memory[bias + 1],
    s02 = memory[bias + 2],
    s03 = memory[bias + 3];
  let s10 = s00,
    s11 = s01,
    s12 = s02,
    s13 = s03;
  let s20 = s00,
    s21 = s01,
    s22 = s02,
    s23 = s03;
  let s30 = s00,
    s31 = s01,
    s32 = s02,
    s33 = s03;
  for (let x = 0; x < k; x++) {
    const at = a + x;
    const from = b + x * PANEL;
    const b0 = memory[from],
      b1 = memory[from + 1],
      b2 = memory[from + 2],
      b3 = memory[from + 3];
    const a0 = memory[at];
    s00 += a0 * b0;
    s01 += a0 * b1;
    s02 += a0 * b2;
    s03 += a0 * b3;
    const a1 = memory[at + k];
    s10 += a1 * b0;
    s11 += a1 * b1;
    s12 += a1 * b2;
    s13 += a1 * b3;
    const a2 = memory[at + 2 * k];
    s20 += a2 * b0;
    s21 += a2 * b1;
    s22 += a2 * b2;
    s23 += a2 * b3;
    const a3 = memory[at + 3 * k];
    s30 += a3 * b0;
    s31 += a3 * b1;
    s32 += a3 * b2;
    s33 += a3 * b3;
  }
  put(memory, c, count, slope, s00, s01, s02, s03);
  put(memory, c + n, count, slope, s10, s11, s12, s13);
  put(memory, c + 2 * n, count, slope, s20, s21, s22, s23);
  put(memory, c + 3 * n, count, slope, s30, s31, s32, s33);
}

/** One row by a panel. */
function line(
  memory: Float32Array,
  a: number,
  b: number,
  bias: number,
  c: number,
  k: number,
  count: number,
  slope: number,
): void {
  let s0 = memory[bias],
    s1 = memory[bias + 1],
    s2 = memory[bias + 2],
    s3 = memory[bias + 3];
  let s4 = memory[bias + 4],
    s5 = memory[bias + 5],
    s6 = memory[bias + 6],
    s7 = memory[bias + 7];
  for (let x = 0, from = b; x < k; x++, from += PANEL) {
    const value = memory[a + x];
    s0 += value * memory[from];
    s1 += value * memory[from + 1];
    s2 += value * memory[from + 2];
    s3 += value * memory[from + 3];
    s4 += value * memory[from + 4];
    s5 += value * memory[from + 5];
    s6 += value * memory[from + 6];
    s7 += value * memory[from + 7];
  }
  put(memory, c, count, slope, s0, s1, s2, s3);
  if (count > 4) put(memory, c + 4, count - 4, slope, s4, s5, s6, s7);
}

function put(
  memory: Float32Array,
  c: number,
  count: number,
  slope: number,
  s0: number,
  s1: number,
  s2: number,
  s3: number,
): void {
  memory[c] = leaky(s0, slope);
  if (count > 1) memory[c + 1] = leaky(s1, slope);
  if (count > 2) memory[c + 2] = leaky(s2, slope);
  if (count > 3) memory[c + 3] = leaky(s3, slope);
}

function im2col(memory: Float32Array, x: number, to: number, window: Window): void {
  const { h, w, channels, kh, kw, sy, sx, py, px, oh, ow } = window;
  const row = kw * channels;
  for (let oy = 0; oy < oh; oy++) {
    for (let ox = 0; ox < ow; ox++) {
      const left = ox * sx - px;
      const first = Math.max(left, 0);
      const count = Math.max(Math.min(left + kw, w) - first, 0) * channels;
      for (let ky = 0; ky < kh; ky++, to += row) {
        const iy = oy * sy - py + ky;
        const isInside = iy >= 0 && iy < h && count > 0;
        if (!isInside || count < row) memory.fill(0, to, to + row);
        if (!isInside) continue;
        const from = x + (iy * w + first) * channels;
        const start = to + (first - left) * channels;
        for (let i = 0; i < count; i++) memory[start + i] = memory[from + i];
      }
    }
  }
}

function col2im(
  memory: Float32Array,
  col: number,
  bias: number,
  to: number,
  window: Window,
  slope: number,
): void {
  const { h, w, channels, kh, kw, sy, sx, py, px, oh, ow } = window;
  const columns = kh * kw * channels;
  // From one of the windows that reach a pixel to the next: a step of the kernel, one window back.
  const stepX = sx * channels - columns;
  const stepY = sy * kw * channels - w * columns;
  for (let y = py; y < oh + py; y++) {
    const ky = Math.max(y % sy, y - (h - 1) * sy);
    const ny = taps(ky, kh, y, sy);
    for (let x = px; x < ow + px; x++) {
      const kx = Math.max(x % sx, x - (w - 1) * sx);
      const nx = taps(kx, kw, x, sx);
      const corner =
        col + (((y - ky) / sy) * w + (x - kx) / sx) * columns + (ky * kw + kx) * channels;
      for (let c = 0; c < channels; c++) {
        let sum = memory[bias + c];
        for (let i = 0, row = corner + c; i < ny; i++, row += stepY) {
          for (let j = 0, at = row; j < nx; j++, at += stepX) sum += memory[at];
        }
        memory[to++] = leaky(sum, slope);
      }
    }
  }
}

/** How many of k, k + stride, … stay inside the kernel and at or after the picture's first pixel. */
function taps(k: number, size: number, at: number, stride: number): number {
  const last = Math.min(size - 1, at);
  return last < k ? 0 : Math.floor((last - k) / stride) + 1;
}
