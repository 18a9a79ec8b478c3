import { ENGINES, type Engine, type Kernels } from "./kernels";
import { createTypeScriptKernels } from "./kernels_ts";
import { createWasmKernels } from "./kernels_wasm";

/**
 * Kernels over `length` floats, all 0.
 *
 * @param engines Which may be used, the best first; the last that is asked for must work.
 */
export async function createKernels(
  length: number,
  engines: readonly Engine[] = ENGINES,
): Promise<Kernels> {
  for (const engine of engines) {
    if (engine === "typescript") return createTypeScriptKernels(length);
    const kernels = await createWasmKernels(length, engine);
    if (kernels) return kernels;
  }
  throw new RangeError(`none of these engines works here: ${engines.join(", ")}.`);
}
