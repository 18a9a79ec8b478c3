/** The arithmetic a network is made of, on one piece of memory; in wasm where there is SIMD. */

/** Sides of a picture and of the window that slides over it; `h` and `w` of what goes in. */
export interface Window {
  h: number;
  w: number;
  channels: number;
  kh: number;
  kw: number;
  sy: number;
  sx: number;
  py: number;
  px: number;
  oh: number;
  ow: number;
}

/** Which arithmetic: with one rounding per multiply-add, with two, or without wasm. */
export type Engine = "wasm-fma" | "wasm-simd" | "typescript";

export const ENGINES: readonly Engine[] = ["wasm-fma", "wasm-simd", "typescript"];

/**
 * Everything lies in `memory`; places are indices of floats. Pictures have their channels last.
 * `slope` is that of a leaky ReLU below 0: 1 leaves all as it is, 0 is a ReLU.
 */
export interface Kernels {
  readonly engine: Engine;
  readonly memory: Float32Array;
  /** C (m, n) = leaky(A (m, k) · B + bias (n)); B lies in panels, see `pack.ts`. */
  gemm(
    a: number,
    b: number,
    bias: number,
    c: number,
    m: number,
    k: number,
    n: number,
    slope: number,
  ): void;
  /** Every window of one picture, one a row: (oh · ow, kh · kw · channels); 0 outside of it. */
  im2col(x: number, to: number, window: Window): void;
  /** Back: sums of the windows' overlaps, (oh, ow, channels), with bias (channels) and slope. */
  col2im(columns: number, bias: number, to: number, window: Window, slope: number): void;
}
