/**
 * The manifest: what a scene holds. `zscape.explorer.scene` in Python writes it; this file reads it.
 * Both sides are held to it by tests. All arrays are little-endian and row-major.
 */

export const FORMAT = "zscape-scene";
export const VERSION = 1;

/** A named array. Its bytes come from the source under the same name. */
export interface Block {
  /** "u4": two values a byte, the first in the low half, 0…15 standing for 0…1. "i8": times `scale` of its first axis. */
  dtype: "f64" | "f32" | "f16" | "i8" | "u8" | "u4" | "i32";
  shape: number[];
  /** "planes": gzip of all first bytes of the values, then all second ones, …: floats get 7 % smaller than by "gzip". */
  codec: "raw" | "gzip" | "planes";
  /** Stored bytes, so that a truncated block is seen at once. */
  length: number;
  /** CRC-32 of the stored bytes. */
  crc32: number;
  /** Of "i8" only: one factor per index of the first axis. */
  scale?: number[];
  /** A block so large that it is read in parts. */
  pages?: Pages;
}

/** Parts of a block, each a gzip stream of its own: `rows` indices of the first axis, the last one what is left. */
export interface Pages {
  rows: number;
  /** Where each ends, in stored bytes from the beginning of the block. */
  ends: number[];
  /** CRC-32 of the stored bytes of each. */
  crc32: number[];
}

/**
 * One layer; weights are names of blocks, in torch's own order of axes. BatchNorm is folded away. A bias is [out], or
 * [k, out] where it differs with what the model is told (`Condition`).
 */
export type Layer =
  | { kind: "linear"; weight: string; bias: string | null } // [out, in]
  | { kind: "conv"; weight: string; bias: string | null; stride: Pair; padding: Pair } // [out, in, kh, kw]
  | {
      kind: "convTranspose"; // [in, out, kh, kw]
      weight: string;
      bias: string | null;
      stride: Pair;
      padding: Pair;
      outputPadding: Pair;
    }
  | { kind: "affine"; scale: string; shift: string } // per channel: a BatchNorm with no layer to fold into
  | { kind: "leakyRelu"; slope: number }
  | { kind: "relu" }
  | { kind: "tanh" }
  | { kind: "sigmoid" }
  | { kind: "softBound"; bound: number } // of log-variances; see zscape.model.layers.soft_bound
  | { kind: "reshape"; shape: number[] }; // without the batch axis

export type Pair = [number, number];

/** What the model is told of every picture it encodes and decodes. */
export interface Condition {
  title: string; // "class"
  names: string[]; // k values
  first: number; // of `names`: the one to begin with
  /** What every point is, i32 (n); null where that is not known. */
  codes: string | null;
}

export interface ModelSpec {
  /** image (c, h, w) → trunk → two heads. Null: left out, as in all moments of a film but one. */
  encoder: { trunk: Layer[]; mu: Layer[]; logvar: Layer[] } | null;
  /** z (latentDim) → logits (c, h, w). */
  decoder: Layer[];
  /** From logits to pixels in [0, 1]: see `zscape.model.likelihoods`. */
  mean: "sigmoid" | "continuous-bernoulli";
}

/** All per neuron, in the order of the model. */
export interface Neuron {
  name: string; // "z0"
  mean: number; // of the data's posterior means
  std: number;
  low: number; // 0.5 and 99.5 percentile of the data
  high: number;
  kl: number; // nats, mean over the data
  isUsed: boolean; // kl > the package's threshold
  mutualInformation: number | null; // nats, with the class
}

export type WayName = "nearest" | "local" | "learned" | "exact";

/** The ways back that the page can compute: all there are, in the words of `InverseMethod.about` in Python. */
export const WAYS: Record<WayName, string> = {
  nearest: "the nearest picture's own vector",
  local: "a plane through the nearest pictures",
  learned: "a small network",
  exact: "the linear inverse",
};

export interface MapSpec {
  name: string; // "tsne"
  label: string; // "t-SNE"; "t-SNE (perplexity 12)" where a setting is not the usual
  method: "pca" | "tsne" | "umap" | "pair" | string;
  settings?: Record<string, number | string | boolean | null>;
  seed?: number;
  coordinates: string; // block (n, 2)
  /** Ways back that can be computed here, the default first. */
  inverses: WayName[];
  /** Linear maps: coordinates = (x - centre) @ axes.T, x = (z - shift) / scale. */
  linear?: { axes: string; centre: string };
  /** Standardisation of z before the map; absent if none. */
  standardize?: { shift: string; scale: string };
  /** The learned way back: waves (2, w), then linear layers with SiLU between. */
  learned?: {
    middle: Pair;
    spread: number;
    waves: string;
    layers: { weight: string; bias: string }[];
    mean: string; // (latentDim)
    scale: number;
  };
  /** Smallest sensible distance on the map: median distance of a point to its nearest other one. */
  unit: number;
  /** Explained variance of the two axes, where there is such a thing. */
  explained?: Pair;
}

/** What else is known of every point. Names differ from one another and from those of other colours. */
export type ColumnSpec =
  | {
      kind: "category";
      name: string;
      missing: number; // points without a value
      codes: string; // i32 (n): indices into `categories`, -1 where missing
      categories: string[];
    }
  | {
      kind: "number" | "date"; // a date: milliseconds since 1970, without a zone
      name: string;
      missing: number;
      values: string; // f32 or f64 (n), NaN where missing
    }
  | {
      kind: "text" | "file";
      name: string;
      missing: number;
      texts: string; // u8: JSON, a list of n texts, null where missing
    };

/** Views with a title and a caption, one after the other. */
export interface Story {
  title: string;
  steps: Step[];
}

export interface Step {
  title: string;
  /** Markdown. */
  text: string;
  /** What is shown: see `Address` in `state/address.ts`, or the end of a link, from "#" on. */
  view: Record<string, unknown> | string;
  /** A question, whose answer is hidden until the reader has guessed. */
  ask?: Question;
}

export interface Question {
  question: string;
  choices: string[];
  /** Which of the choices, from 0. */
  answer: number;
  /** Markdown, shown with the answer. */
  because: string;
}

export interface Manifest {
  format: typeof FORMAT;
  version: number;
  generator: string; // "zscape 0.1.0"
  title: string; // "zoo:10"
  data: string; // "mnist, test"
  /** Of the weights, and of the images that `points.indices` points into; empty where not known. */
  fingerprints: { model: string; data: string };
  /** Channels, height, width of the model's pictures. */
  imageShape: [number, number, number];
  /** Which channels are drawn as red, green and blue; without it one is grey, and three are RGB. */
  showChannels?: [number, number, number];
  latentDim: number;
  points: {
    n: number;
    mu: string; // (n, latentDim)
    labels: string | null; // i32 (n), -1 where unknown
    /** Index of every point in the data set. */
    indices: string; // i32 (n)
    kl: string; // (n), nats
    error: string; // (n), nats that drawing the very picture would have saved, at the posterior mean
    /** Originals, made smaller if all of them were too much: (n, c, h, w), "u4" or "u8". */
    thumbnails: string;
    /** Which of them is every point's, i32 (n), where they are in an order of their own. */
    slots?: string;
  };
  classNames: string[]; // empty: no labels
  /** Mean latent vector per class (k, latentDim), and how many points each has. */
  prototypes: { vectors: string; counts: number[] } | null;
  neurons: Neuron[];
  columns?: ColumnSpec[];
  /** What is told of the scene, step by step. */
  story?: Story;
  /** Absent where the model is told nothing. */
  condition?: Condition;
  maps: MapSpec[]; // at least one; "pair" maps need no coordinates of their own, the page makes them from mu
  /** Null where the page cannot run the network; `why` then says so in a sentence. */
  model: ModelSpec | null;
  why: string | null;
  /** Absent where there is one model on one set. */
  members?: Members;
  blocks: Record<string, Block>;
}

/** Models, moments of a training, or sets of images that the page can change over to, in their order. */
export interface Members {
  /** What they differ in: "model", "training", "kld_weight", "images". */
  by: string;
  title?: string;
  first: number; // of `list`: whose the manifest itself is
  /** One at a time, with a slider; else the page begins with two of them. */
  isFilm: boolean;
  list: Member[];
}

export interface Member {
  label: string; // "epoch 2.5"
  loss: number | null; // nats per image
  /** What differs from the manifest itself, but for `members` and `blocks`; null for what is not there. */
  manifest: Record<string, unknown>;
}
