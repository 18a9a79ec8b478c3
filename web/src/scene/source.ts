import type { Manifest, Members } from "./manifest";

/** Where a scene comes from: bytes in the page, a server, or a notebook's kernel. */
export interface DataSource {
  manifest(): Promise<unknown>;
  /** Of a block, or of that part of it. */
  bytes(name: string, part?: Part): Promise<Uint8Array>;
  /** Only where a kernel or server stands behind, for networks the page cannot run: (n, latentDim) → (n, c, h, w). */
  decode?(z: Float32Array, n: number, told?: number): Promise<Float32Array>;
  /** (n, c, h, w) in [0, 1] → both (n, latentDim). */
  encode?(x: Float32Array, n: number, told?: number): Promise<Encoded>;
  /** What Python sees and may set: present in a notebook only. */
  shared?: SharedState;
  /** Lets go of listeners and of answers still awaited. */
  close?(): void;
}

/** Bytes of a block, `to` not included. */
export interface Part {
  from: number;
  to: number;
}

/** What the encoder says of n pictures: mean and log-variance of the posterior, both (n, latentDim). */
export interface Encoded {
  mu: Float32Array;
  logvar: Float32Array;
}

/** Traits of the widget; every key may be written from either side. */
export interface SharedState {
  get<K extends keyof Shared>(key: K): Shared[K];
  set(values: Partial<Shared>): void;
  /** Called when Python (or a linked widget) changes one. Returns the unsubscriber. */
  onChange(listener: (key: keyof Shared) => void): () => void;
}

export interface Shared {
  z: number[]; // current vector
  selection: number[]; // rows of the table
  selections: Record<string, number[]>; // those that are kept, by name
  path: number[][]; // latent vectors
  map: string; // name of the map shown
  color: string; // "class" | "kl" | "error" | "z3", or the name of a column
  condition: string; // what is decoded, by a model that is told; "" otherwise
  filter: FilterSpec;
}

/**
 * What is shown, as links and Python have it. By the name of a column: of numbers and dates `[low, high]` with
 * low <= x < high, null for no bound, dates as ISO 8601; of a category its values that are shown, null for the
 * missing ones, or `{ not: … }`, those that are not.
 */
export type FilterSpec = Record<
  string,
  readonly (string | number | null)[] | { not: readonly (string | null)[] }
>;

/** A scene whose arrays are decoded; see `load_scene.ts`. */
export interface Scene {
  manifest: Manifest;
  /** A scene for each member, with the same bytes; of a scene without members, itself. */
  members: readonly Scene[];
  /** Of `members`: which of them this one is; and what they are. */
  member: number;
  about: Members | null;
  /** Any block as floats (f16, i8, u4 and u8 converted; u4 and u8 to [0, 1]). Shared: not to be written to. */
  floats(name: string): Float32Array;
  doubles(name: string): Float64Array;
  ints(name: string): Int32Array;
  /** Raw bytes after the codec (packed for u4): for thumbnails, which are unpacked when drawn. */
  raw(name: string): Uint8Array;
  /** The bytes of a page of a block that has some, after the codec; read when they are asked for. */
  page(name: string, at: number): Promise<Uint8Array>;
  source: DataSource;
}

/** Something a person can read; everything else that is thrown is a bug. */
export class SceneError extends Error {}
