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
  /** As what is chosen; or, to a model that is told, as what is said. */
  decode(z: Float32Array, n: number, told?: number): Float32Array | Promise<Float32Array>;
  encode(x: Float32Array, n: number, told?: number): Posterior | Promise<Posterior>;
  /** The same, with something else chosen. */
  choose(told: number): Decoder;
}

/** @param chosen what is decoded and encoded by a model that is told. */
export function createDecoder(model: Model | null, source: DataSource, chosen?: number): Decoder {
  const choose = (told: number): Decoder => createDecoder(model, source, told);
  const missing = () => Promise.reject(new Error("there is no network to ask"));
  if (model) {
    return {
      canDecode: true,
      canEncode: model.encode !== null,
      isHere: true,
      decode: (z, n, told = chosen) => model.decode(z, n, told),
      encode: (x, n, told = chosen) => model.encode?.(x, n, told) ?? missing(),
      choose,
    };
  }
  return {
    canDecode: source.decode !== undefined,
    canEncode: source.encode !== undefined,
    isHere: false,
    decode: (z, n, told = chosen) => source.decode?.(z, n, told) ?? missing(),
    encode: (x, n, told = chosen) => source.encode?.(x, n, told) ?? missing(),
    choose,
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
