/** Pages of a block, read when something in them is looked at. */
import { type Scene, SceneError } from "../scene/source";

/** Bytes that are kept, after the codec. */
const MOST_KEPT = 96 * 2 ** 20;
/** Asked for at once; browsers let six requests run beside each other. */
const MOST_ASKED = 6;
/** Waiting, the newest first; what was wanted longer ago is hardly seen any more. */
const MOST_WAITING = 600;

export interface PageCache {
  readonly rows: number;
  /** The bytes of a page: at once where they are here. Given up, by an error, where too many others are wanted since. */
  get(at: number): Uint8Array | Promise<Uint8Array>;
}

interface Wanted {
  at: number;
  resolve(bytes: Uint8Array): void;
  reject(error: unknown): void;
}

export function createPages(scene: Scene, name: string): PageCache {
  const { pages } = scene.manifest.blocks[name];
  /** The longest unused first. */
  const kept = new Map<number, Uint8Array>();
  const asked = new Map<number, Promise<Uint8Array>>();
  const waiting: Wanted[] = [];
  let nRunning = 0;
  let size = 0;

  function keep(at: number, bytes: Uint8Array): void {
    kept.set(at, bytes);
    size += bytes.length;
    for (const [oldest, old] of kept) {
      if (size <= MOST_KEPT || oldest === at) break;
      kept.delete(oldest);
      size -= old.length;
    }
  }

  function next(): void {
    while (nRunning < MOST_ASKED && waiting.length) {
      const { at, resolve, reject } = waiting.pop()!;
      nRunning++;
      scene.page(name, at).then(
        (bytes) => {
          nRunning--;
          asked.delete(at);
          keep(at, bytes);
          resolve(bytes);
          next();
        },
        (error: unknown) => {
          nRunning--;
          asked.delete(at);
          reject(error);
          next();
        },
      );
    }
  }

  return {
    rows: pages!.rows,
    get(at) {
      const known = kept.get(at);
      if (known) {
        kept.delete(at);
        kept.set(at, known);
        return known;
      }
      const before = asked.get(at);
      if (before) return before;
      const answer = new Promise<Uint8Array>((resolve, reject) => {
        waiting.push({ at, resolve, reject });
      });
      asked.set(at, answer);
      if (waiting.length > MOST_WAITING) {
        const given = waiting.shift()!;
        asked.delete(given.at);
        given.reject(new GivenUp());
      }
      next();
      return answer;
    },
  };
}

/** Nobody waits for it any more, or hardly. */
export class GivenUp extends SceneError {
  constructor() {
    super("Too many pictures were asked for at once.");
  }
}
