/**
 * The arithmetic of `kernels.ts` in AssemblyScript: `npm run wasm` makes gemm.wasm and gemm_fma.wasm
 * of it. `kernels_ts.ts` is the same in TypeScript and says what each function does; addresses
 * come in floats there and here, and become bytes at once.
 */

/** c + a·b; one rounding where the browser has relaxed SIMD, two elsewhere. */
// @ts-ignore: decorator
@inline
function madd(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, c);
  return f32x4.add(c, f32x4.mul(a, b));
}

// @ts-ignore: decorator
@inline
function activate(x: v128, slope: v128): v128 {
  const zero = f32x4.splat(0);
  return f32x4.add(f32x4.max(x, zero), f32x4.mul(slope, f32x4.min(x, zero)));
}

// @ts-ignore: decorator
@inline
function put(c: usize, low: v128, high: v128, count: i32): void {
  if (count >= 8) {
    v128.store(c, low);
    v128.store(c, high, 16);
    return;
  }
  let rest = low;
  if (count & 4) {
    v128.store(c, low);
    c += 16;
    rest = high;
  }
  if (count & 2) {
    v128.store64_lane(c, rest, 0);
    c += 8;
    rest = i8x16.shuffle(rest, rest, 8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15);
  }
  if (count & 1) v128.store32_lane(c, rest, 0);
}

export function gemm(
  aAt: i32, bAt: i32, biasAt: i32, cAt: i32, m: i32, k: i32, n: i32, slope: f32,
): void {
  const lda = (<usize>k) << 2;
  const ldc = (<usize>n) << 2;
  const panel = (<usize>k) << 5;
  const slopes = f32x4.splat(slope);
  const a0 = (<usize>aAt) << 2;
  const c0 = (<usize>cAt) << 2;
  const bias = (<usize>biasAt) << 2;
  const m4 = m & ~3;
  let b = (<usize>bAt) << 2;
  if (m4) {
    for (let j = 0; j < n; j += 8) {
      tiles(a0, b, bias + ((<usize>j) << 2), c0 + ((<usize>j) << 2), m4, k, lda, ldc, n - j, slopes);
      b += panel;
    }
  }
  for (let i = m4; i < m; i++) {
    row(a0 + <usize>i * lda, (<usize>bAt) << 2, bias, c0 + <usize>i * ldc, k, n, panel, slopes);
  }
}

/** One panel of 8 columns, four rows at a time: eight sums stay in registers. */
function tiles(
  a: usize, b: usize, bias: usize, c: usize, m: i32, k: i32, lda: usize, ldc: usize, count: i32,
  slopes: v128,
): void {
  const low = v128.load(bias);
  const high = v128.load(bias, 16);
  for (let i = 0; i < m; i += 4) {
    let s00 = low, s01 = high, s10 = low, s11 = high;
    let s20 = low, s21 = high, s30 = low, s31 = high;
    let p0 = a, p1 = a + lda, p2 = p1 + lda, p3 = p2 + lda;
    let q = b;
    for (let x = 0; x < k; x++) {
      const b0 = v128.load(q);
      const b1 = v128.load(q, 16);
      const a0 = v128.load32_splat(p0);
      s00 = madd(a0, b0, s00);
      s01 = madd(a0, b1, s01);
      const a1 = v128.load32_splat(p1);
      s10 = madd(a1, b0, s10);
      s11 = madd(a1, b1, s11);
      const a2 = v128.load32_splat(p2);
      s20 = madd(a2, b0, s20);
      s21 = madd(a2, b1, s21);
      const a3 = v128.load32_splat(p3);
      s30 = madd(a3, b0, s30);
      s31 = madd(a3, b1, s31);
      p0 += 4;
      p1 += 4;
      p2 += 4;
      p3 += 4;
      q += 32;
    }
    put(c, activate(s00, slopes), activate(s01, slopes), count);
    c += ldc;
    put(c, activate(s10, slopes), activate(s11, slopes), count);
    c += ldc;
    put(c, activate(s20, slopes), activate(s21, slopes), count);
    c += ldc;
    put(c, activate(s30, slopes), activate(s31, slopes), count);
    c += ldc;
    a = p3;
  }
}

/** One row, four panels at a time: it only ever waits for the weights. */
function row(
  a: usize, b: usize, bias: usize, c: usize, k: i32, n: i32, panel: usize, slopes: v128,
): void {
  let j = 0;
  for (; j + 32 <= n; j += 32) {
    let s0 = v128.load(bias), s1 = v128.load(bias, 16);
    let s2 = v128.load(bias, 32), s3 = v128.load(bias, 48);
    let s4 = v128.load(bias, 64), s5 = v128.load(bias, 80);
    let s6 = v128.load(bias, 96), s7 = v128.load(bias, 112);
    let q0 = b, q1 = b + panel, q2 = q1 + panel, q3 = q2 + panel;
    for (let x = 0; x < k; x++) {
      const value = v128.load32_splat(a + ((<usize>x) << 2));
      s0 = madd(value, v128.load(q0), s0);
      s1 = madd(value, v128.load(q0, 16), s1);
      s2 = madd(value, v128.load(q1), s2);
      s3 = madd(value, v128.load(q1, 16), s3);
      s4 = madd(value, v128.load(q2), s4);
      s5 = madd(value, v128.load(q2, 16), s5);
      s6 = madd(value, v128.load(q3), s6);
      s7 = madd(value, v128.load(q3, 16), s7);
      q0 += 32;
      q1 += 32;
      q2 += 32;
      q3 += 32;
    }
    put(c, activate(s0, slopes), activate(s1, slopes), 8);
    put(c + 32, activate(s2, slopes), activate(s3, slopes), 8);
    put(c + 64, activate(s4, slopes), activate(s5, slopes), 8);
    put(c + 96, activate(s6, slopes), activate(s7, slopes), 8);
    b += panel << 2;
    bias += 128;
    c += 128;
  }
  for (; j < n; j += 8) {
    let low = v128.load(bias), high = v128.load(bias, 16);
    let q = b;
    for (let x = 0; x < k; x++) {
      const value = v128.load32_splat(a + ((<usize>x) << 2));
      low = madd(value, v128.load(q), low);
      high = madd(value, v128.load(q, 16), high);
      q += 32;
    }
    put(c, activate(low, slopes), activate(high, slopes), n - j);
    b += panel;
    bias += 32;
    c += 32;
  }
}

// @ts-ignore: decorator
@inline
function copy(to: usize, from: usize, count: i32): void {
  let i = 0;
  for (; i + 4 <= count; i += 4) v128.store(to + ((<usize>i) << 2), v128.load(from + ((<usize>i) << 2)));
  for (; i < count; i++) store<f32>(to + ((<usize>i) << 2), load<f32>(from + ((<usize>i) << 2)));
}

export function im2col(
  xAt: i32, toAt: i32, h: i32, w: i32, channels: i32, kh: i32, kw: i32, sy: i32, sx: i32,
  py: i32, px: i32, oh: i32, ow: i32,
): void {
  let to = (<usize>toAt) << 2;
  const x = (<usize>xAt) << 2;
  const rowBytes = (<usize>(kw * channels)) << 2;
  const zero = f32x4.splat(0);
  for (let oy = 0; oy < oh; oy++) {
    for (let ox = 0; ox < ow; ox++) {
      const left = ox * sx - px;
      const first = max(left, 0);
      const last = min(left + kw, w);
      const before = (first - left) * channels;
      const count = max(last - first, 0) * channels;
      for (let ky = 0; ky < kh; ky++) {
        const iy = oy * sy - py + ky;
        const isInside = iy >= 0 && iy < h && count > 0;
        if (!isInside || count < kw * channels) {
          memory.fill(to, 0, rowBytes);
        }
        if (isInside) {
          copy(to + ((<usize>before) << 2), x + ((<usize>((iy * w + first) * channels)) << 2), count);
        }
        to += rowBytes;
      }
    }
  }
}

export function col2im(
  colAt: i32, biasAt: i32, toAt: i32, h: i32, w: i32, channels: i32, kh: i32, kw: i32, sy: i32,
  sx: i32, py: i32, px: i32, oh: i32, ow: i32, slope: f32,
): void {
  const col = (<usize>colAt) << 2;
  const bias = (<usize>biasAt) << 2;
  let to = (<usize>toAt) << 2;
  const slopes = f32x4.splat(slope);
  const columns = kh * kw * channels;
  const whole = channels & ~3;
  for (let oy = 0; oy < oh; oy++) {
    const y = oy + py;
    // The kernel's rows that reach this one: ky, ky + sy, … from pixels iy, iy - 1, …
    const ky0 = max(y % sy, y - (h - 1) * sy);
    for (let ox = 0; ox < ow; ox++) {
      const x = ox + px;
      const kx0 = max(x % sx, x - (w - 1) * sx);
      const corner = col + ((<usize>((y - ky0) / sy * w * columns + (x - kx0) / sx * columns
        + (ky0 * kw + kx0) * channels)) << 2);
      const nx = taps(kx0, kw, x, sx);
      const ny = taps(ky0, kh, y, sy);
      const stepX = (<isize>(sx * channels - columns)) << 2;
      const stepY = (<isize>(sy * kw * channels - w * columns)) << 2;
      for (let c = 0; c < whole; c += 4) {
        let sum = v128.load(bias + ((<usize>c) << 2));
        let lineAt = corner + ((<usize>c) << 2);
        for (let i = 0; i < ny; i++) {
          let at = lineAt;
          for (let j = 0; j < nx; j++) {
            sum = f32x4.add(sum, v128.load(at));
            at += stepX;
          }
          lineAt += stepY;
        }
        v128.store(to + ((<usize>c) << 2), activate(sum, slopes));
      }
      for (let c = whole; c < channels; c++) {
        let sum = load<f32>(bias + ((<usize>c) << 2));
        let lineAt = corner + ((<usize>c) << 2);
        for (let i = 0; i < ny; i++) {
          let at = lineAt;
          for (let j = 0; j < nx; j++) {
            sum += load<f32>(at);
            at += stepX;
          }
          lineAt += stepY;
        }
        store<f32>(to + ((<usize>c) << 2), max<f32>(sum, 0) + slope * min<f32>(sum, 0));
      }
      to += (<usize>channels) << 2;
    }
  }
}

/** How many of k, k + stride, … stay inside the kernel and at or after the picture's first pixel. */
// @ts-ignore: decorator
@inline
function taps(k: i32, size: i32, at: i32, stride: i32): i32 {
  const last = min(size - 1, at);
  return last < k ? 0 : (last - k) / stride + 1;
}
