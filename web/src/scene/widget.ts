/** The scene of a notebook widget: traits and messages of anywidget's model. */
import type { AnyModel } from "@anywidget/types";
import { type DataSource, type Encoded, SceneError, type Shared, type SharedState } from "./source";

/** After this long without a word the kernel is taken for dead. */
const PATIENCE_MS = 30_000;

const SHARED_KEYS = [
  "z",
  "selection",
  "selections",
  "path",
  "map",
  "color",
  "condition",
  "filter",
] as const;

export function widgetSource(model: AnyModel): DataSource {
  const kernel = new Kernel(model);
  const { shared, close } = sharedState(model);
  return {
    async manifest() {
      const text: unknown = model.get("manifest");
      try {
        return typeof text === "string" ? JSON.parse(text) : text;
      } catch {
        throw new SceneError("The widget’s manifest is not JSON.");
      }
    },
    async bytes(name, part) {
      const blocks = model.get("blocks") as Record<string, DataView | ArrayBuffer> | undefined;
      const view = blocks && Object.hasOwn(blocks, name) ? blocks[name] : undefined;
      if (!view) {
        throw new SceneError(
          `The widget’s block “${name}” is missing; run the cell again, as a saved notebook does not keep it.`,
        );
      }
      const bytes = toBytes(view);
      return part ? bytes.subarray(part.from, part.to) : bytes;
    },
    decode: async (z, n, told) => (await kernel.ask("decode", z, n, 1, told))[0],
    encode: async (x, n, told): Promise<Encoded> => {
      const [mu, logvar] = await kernel.ask("encode", x, n, 2, told);
      return { mu, logvar };
    },
    shared,
    close() {
      close();
      kernel.close();
    },
  };
}

function toBytes(view: DataView | ArrayBuffer): Uint8Array {
  return ArrayBuffer.isView(view)
    ? new Uint8Array(view.buffer, view.byteOffset, view.byteLength)
    : new Uint8Array(view);
}

interface Answer {
  type: string;
  id: number;
  message?: string;
}

interface Waiting {
  resolve(floats: Float32Array[]): void;
  reject(error: Error): void;
  nBuffers: number;
  timer: ReturnType<typeof setTimeout>;
}

let lastId = 0;

/** Questions to Python and their answers, which may come back in any order. */
class Kernel {
  private readonly waiting = new Map<number, Waiting>();

  constructor(private readonly model: AnyModel) {
    model.on("msg:custom", this.receive);
  }

  ask(
    type: string,
    values: Float32Array,
    n: number,
    nBuffers: number,
    condition?: number,
  ): Promise<Float32Array[]> {
    // Several views of one widget hear every answer: the numbers run through all of them.
    const id = ++lastId;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.waiting.delete(id);
        reject(new SceneError("The notebook’s kernel does not answer; is it still running?"));
      }, PATIENCE_MS);
      this.waiting.set(id, { resolve, reject, nBuffers, timer });
      // A copy, as its buffer may be larger than the view.
      const told = condition === undefined ? {} : { condition };
      this.model.send({ type, id, n, ...told }, undefined, [values.slice().buffer as ArrayBuffer]);
    });
  }

  private readonly receive = (answer: Answer, buffers: (DataView | ArrayBuffer)[]): void => {
    const waiting = this.waiting.get(answer?.id);
    if (!waiting) return;
    clearTimeout(waiting.timer);
    this.waiting.delete(answer.id);
    if (answer.type === "error" || buffers.length < waiting.nBuffers) {
      waiting.reject(
        new SceneError(answer.message ?? "The notebook’s kernel could not compute this."),
      );
      return;
    }
    waiting.resolve(buffers.map((buffer) => new Float32Array(toBytes(buffer).slice().buffer)));
  };

  close(): void {
    this.model.off("msg:custom", this.receive);
    for (const { reject, timer } of this.waiting.values()) {
      clearTimeout(timer);
      reject(new SceneError("The widget was closed."));
    }
    this.waiting.clear();
  }
}

function sharedState(model: AnyModel): { shared: SharedState; close(): void } {
  const listeners = new Set<(key: keyof Shared) => void>();
  let isSetting = false;
  const handlers = SHARED_KEYS.map((key) => {
    const handler = (): void => {
      // The model also reports what this page itself has set.
      if (!isSetting) listeners.forEach((listener) => listener(key));
    };
    model.on(`change:${key}`, handler);
    return [key, handler] as const;
  });
  const shared: SharedState = {
    get: (key) => model.get(key),
    set(values) {
      isSetting = true;
      try {
        for (const [key, value] of Object.entries(values)) model.set(key, value);
      } finally {
        isSetting = false;
      }
      model.save_changes();
    },
    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
  function close(): void {
    listeners.clear();
    for (const [key, handler] of handlers) model.off(`change:${key}`, handler);
  }
  return { shared, close };
}
