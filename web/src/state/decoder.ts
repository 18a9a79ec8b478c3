import type { Model } from "../model/model";
import type { DataSource } from "../scene/source";

export interface Posterior {
  mu: Float32Array;
  logvar: Float32Array;
}

/** The network, wherever it runs: here and at once, or in a kernel and later. */
export interface Decoder {
  readonly canDecode: boolean;
  readonly canEncode: boolean;
  /** Whether answers come at once. */
  readonly isHere: boolean;
  decode(z: Float32Array, n: number): Float32Array | Promise<Float32Array>;
  encode(x: Float32Array, n: number): Posterior | Promise<Posterior>;
}

export function createDecoder(model: Model | null, source: DataSource): Decoder {
  if (model) {
    return {
      canDecode: true,
      canEncode: true,
      isHere: true,
      decode: (z, n) => model.decode(z, n),
      encode: (x, n) => model.encode(x, n),
    };
  }
  const missing = () => Promise.reject(new Error("there is no network to ask"));
  return {
    canDecode: source.decode !== undefined,
    canEncode: source.encode !== undefined,
    isHere: false,
    decode: (z, n) => source.decode?.(z, n) ?? missing(),
    encode: (x, n) => source.encode?.(x, n) ?? missing(),
  };
}

/** Calls `use` with the answer: now if it is here, later if it is on its way. */
export function whenReady<T>(
  answer: T | Promise<T>,
  use: (value: T) => void,
  failed: (error: unknown) => void,
): void {
  if (answer instanceof Promise) answer.then(use).catch(failed);
  else use(answer);
}

/**
 * Asks for the newest only: while an answer is on its way, of all further questions the last is kept.
 * Where the network runs here, every question is answered at once.
 */
export function createLatest<Q, A>(
  ask: (question: Q) => A | Promise<A>,
  use: (answer: A, question: Q) => void,
  failed: (error: unknown, question: Q) => void,
): (question: Q) => void {
  let isWaiting = false;
  let next: { question: Q } | null = null;
  const send = (question: Q): void => {
    const answer = ask(question);
    if (!(answer instanceof Promise)) return use(answer, question);
    isWaiting = true;
    answer
      .then(
        (value) => use(value, question),
        (error: unknown) => failed(error, question),
      )
      .finally(() => {
        isWaiting = false;
        const waiting = next;
        next = null;
        if (waiting) send(waiting.question);
      });
  };
  return (question) => {
    if (isWaiting) next = { question };
    else send(question);
  };
}
