/** The kernels in wasm (`gemm.as.ts`), from bytes that lie inside the bundle. */
import { fromBase64 } from "../scene/base64";
import simdUrl from "./gemm.wasm?url&inline";
import fmaUrl from "./gemm_fma.wasm?url&inline";
import type { Engine, Kernels } from "./kernels";

const PAGE_FLOATS = 65536 / 4;

/** Null where the browser lacks wasm, its (relaxed) SIMD, that much memory, or leave to run it. */
export async function createWasmKernels(length: number, engine: Engine): Promise<Kernels | null> {
  try {
    const url = engine === "wasm-fma" ? fmaUrl : simdUrl;
    const code = fromBase64(url.slice(url.indexOf(",") + 1)) as Uint8Array<ArrayBuffer>;
    const memory = new WebAssembly.Memory({ initial: Math.ceil(length / PAGE_FLOATS) });
    const { instance } = await WebAssembly.instantiate(code, { env: { memory } });
    const { gemm, im2col, col2im } = instance.exports as Record<
      string,
      (...numbers: number[]) => void
    >;
    return {
      engine,
      memory: new Float32Array(memory.buffer, 0, length),
      gemm: gemm as Kernels["gemm"],
      im2col(x, to, { h, w, channels, kh, kw, sy, sx, py, px, oh, ow }) {
        im2col(x, to, h, w, channels, kh, kw, sy, sx, py, px, oh, ow);
      },
      col2im(columns, bias, to, { h, w, channels, kh, kw, sy, sx, py, px, oh, ow }, slope) {
        col2im(columns, bias, to, h, w, channels, kh, kw, sy, sx, py, px, oh, ow, slope);
      },
    };
  } catch {
    return null;
  }
}
