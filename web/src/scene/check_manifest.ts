/** Holds a manifest to `manifest.ts`: every field's type, and that all shapes belong together. */
import { DTYPES } from "./block_bytes";
import { Checker } from "./checker";
import { FORMAT, type Manifest, VERSION, WAYS } from "./manifest";
import { manifestsOf } from "./members";
import { SceneError } from "./source";
import { checkStory } from "./story";

const MAX_SIDE = 4096;
const MAX_POINTS = 10_000_000;
const MAX_BYTES = Number.MAX_SAFE_INTEGER;
/** Of one block: a scene far beyond this would bring the page down, not the sentence to it. */
const MAX_COUNT = 2 ** 29;

/**
 * The manifest, once it has proved to be one.
 *
 * @throws SceneError in one sentence: what, where, what is allowed, what came.
 */
export function checkManifest(value: unknown): Manifest {
  const manifest = checkOne(value);
  if (!manifest.members) return manifest;
  const members = new Checker(manifest.members, "members");
  members.at("by").string();
  members.at("isFilm").boolean();
  const list = members.at("list").list();
  if (!list.length) members.at("list").fail("a list with a member in it");
  members.at("first").integer(0, list.length - 1);
  for (const member of list) {
    member.at("label").string();
    if (!member.at("loss").isNull()) member.at("loss").number();
    member.at("manifest").object();
  }
  for (const whole of manifestsOf(manifest)) checkOne(whole);
  return manifest;
}

function checkOne(value: unknown): Manifest {
  const root = new Checker(value, "");
  const isScene = typeof value === "object" && value !== null;
  if (!isScene || (value as { format?: unknown }).format !== FORMAT) {
    throw new SceneError("This is not a scene of zscape’s: its manifest lacks the format’s name.");
  }
  const version = (value as { version?: unknown }).version;
  if (version !== VERSION) {
    throw new SceneError(
      `This scene is of version ${String(version)} of the format; this page reads version ${VERSION}. ` +
        "Make it again with the same zscape that made this page.",
    );
  }
  for (const key of ["generator", "title", "data"]) root.at(key).string();
  checkBlocks(root.at("blocks"));
  const blocks = new Blocks(root.at("blocks").object());
  const d = root.at("latentDim").integer(1, MAX_SIDE);
  const imageShape = root
    .at("imageShape")
    .list(3)
    .map((side) => side.integer(1, MAX_SIDE));
  if (!root.at("showChannels").isNull()) {
    const last = (imageShape[0] as number) - 1;
    for (const channel of root.at("showChannels").list(3)) channel.integer(0, last);
  }
  const n = checkPoints(root, blocks, d, imageShape);
  checkClasses(root, blocks, d);
  checkNeurons(root.at("neurons"), d);
  checkColumns(root.at("columns"), blocks, n);
  if (!root.at("story").isNull()) checkStory(root.at("story"));
  checkMaps(root.at("maps"), blocks, n, d);
  checkModel(root, blocks, checkCondition(root.at("condition"), blocks, n));
  return value as Manifest;
}

/** Names of blocks, and the shapes that are expected of them; -1 stands for any side. */
class Blocks {
  constructor(private readonly entries: Record<string, unknown>) {}

  check(reference: Checker, ...expected: number[][]): number[] {
    const name = reference.string();
    if (!Object.hasOwn(this.entries, name)) reference.fail("the name of a block of this scene");
    const shape = (this.entries[name] as { shape: number[] }).shape;
    const fits = (wanted: number[]): boolean =>
      wanted.length === shape.length && wanted.every((side, i) => side < 0 || side === shape[i]);
    if (expected.length && !expected.some(fits)) {
      const wanted = expected.map(
        (sides) => `(${sides.map((s) => (s < 0 ? "any" : s)).join(", ")})`,
      );
      throw new SceneError(
        `The parts of this scene do not belong together: ${reference.where}, block “${name}”, ` +
          `must have shape ${wanted.join(" or ")}; it has (${shape.join(", ")}).`,
      );
    }
    return shape;
  }
}

function checkBlocks(blocks: Checker): void {
  for (const name of Object.keys(blocks.object())) {
    const block = blocks.at(name);
    block.at("dtype").oneOf(DTYPES);
    block.at("codec").oneOf(["raw", "gzip", "planes"]);
    block.at("length").integer(0, MAX_BYTES);
    block.at("crc32").integer(0, 2 ** 32 - 1);
    const shape = block
      .at("shape")
      .list()
      .map((side) => side.integer(0, MAX_COUNT));
    const rows = block.at("pages").isNull() ? (shape[0] ?? 1) : checkPages(block, shape[0] ?? 0);
    if (shape.slice(1).reduce((product, side) => product * side, rows) > MAX_COUNT) {
      block.at("shape").fail(`of at most ${MAX_COUNT} numbers`);
    }
    if (block.at("dtype").value === "i8") {
      block
        .at("scale")
        .list(shape[0] ?? 1)
        .forEach((scale) => scale.number());
    }
  }
}

/** How many rows a page has. */
function checkPages(block: Checker, n: number): number {
  const pages = block.at("pages");
  block.at("codec").oneOf(["gzip"]);
  const rows = pages.at("rows").integer(1, MAX_POINTS);
  const nPages = Math.ceil(n / rows);
  let last = 0;
  for (const end of pages.at("ends").list(nPages)) last = end.integer(last, MAX_BYTES);
  for (const crc of pages.at("crc32").list(nPages)) crc.integer(0, 2 ** 32 - 1);
  if (last !== block.at("length").value)
    block.at("length").fail(`${last}, where the last page ends`);
  return rows;
}

function checkPoints(root: Checker, blocks: Blocks, d: number, imageShape: number[]): number {
  const points = root.at("points");
  if (points.at("n").value === 0) throw new SceneError("This scene has no points to show.");
  const n = points.at("n").integer(1, MAX_POINTS);
  blocks.check(points.at("mu"), [n, d]);
  for (const key of ["indices", "kl", "error"]) blocks.check(points.at(key), [n]);
  if (!points.at("labels").isNull()) blocks.check(points.at("labels"), [n]);
  blocks.check(points.at("thumbnails"), [n, imageShape[0], -1, -1]);
  if (!points.at("slots").isNull()) blocks.check(points.at("slots"), [n]);
  return n;
}

function checkClasses(root: Checker, blocks: Blocks, d: number): void {
  const names = root.at("classNames").list();
  names.forEach((name) => name.string());
  const prototypes = root.at("prototypes");
  if (prototypes.isNull()) return;
  blocks.check(prototypes.at("vectors"), [names.length, d]);
  prototypes
    .at("counts")
    .list(names.length)
    .forEach((k) => k.integer(0, MAX_POINTS));
}

function checkNeurons(neurons: Checker, d: number): void {
  for (const neuron of neurons.list(d)) {
    neuron.at("name").string();
    for (const key of ["mean", "std", "low", "high", "kl"]) neuron.at(key).number();
    neuron.at("isUsed").boolean();
    if (!neuron.at("mutualInformation").isNull()) neuron.at("mutualInformation").number();
  }
}

function checkColumns(columns: Checker, blocks: Blocks, n: number): void {
  if (columns.isNull()) return;
  const names = new Set<string>();
  for (const column of columns.list()) {
    const name = column.at("name").string();
    if (names.has(name)) column.at("name").fail("a name that no other column has");
    names.add(name);
    column.at("missing").integer(0, n);
    const kind = column.at("kind").oneOf(["category", "number", "date", "text", "file"]);
    if (kind === "category") {
      blocks.check(column.at("codes"), [n]);
      for (const category of column.at("categories").list()) category.string();
    } else if (kind === "number" || kind === "date") blocks.check(column.at("values"), [n]);
    else blocks.check(column.at("texts"), [-1]);
  }
}

function checkMaps(maps: Checker, blocks: Blocks, n: number, d: number): void {
  const entries = maps.list();
  if (!entries.length) throw new SceneError("This scene has no map to show.");
  for (const map of entries) {
    for (const key of ["name", "label", "method"]) map.at(key).string();
    blocks.check(map.at("coordinates"), [n, 2]);
    const inverses = map
      .at("inverses")
      .list()
      .map((way) => way.oneOf(Object.keys(WAYS)));
    if (!inverses.length) map.at("inverses").fail("a list with a way back in it");
    if (!(map.at("unit").number() > 0)) map.at("unit").fail("above 0");
    if (!map.at("linear").isNull()) {
      blocks.check(map.at("linear").at("axes"), [2, d]);
      blocks.check(map.at("linear").at("centre"), [d]);
    } else if (inverses.includes("exact")) {
      map.at("linear").fail("there, as the exact way back is");
    }
    if (!map.at("standardize").isNull()) {
      blocks.check(map.at("standardize").at("shift"), [d]);
      blocks.check(map.at("standardize").at("scale"), [d]);
    }
    if (!map.at("learned").isNull()) checkLearned(map.at("learned"), blocks, d);
    else if (inverses.includes("learned"))
      map.at("learned").fail("there, as the learned way back is");
  }
}

function checkLearned(learned: Checker, blocks: Blocks, d: number): void {
  learned
    .at("middle")
    .list(2)
    .forEach((value) => value.number());
  for (const key of ["spread", "scale"]) learned.at(key).number();
  blocks.check(learned.at("mean"), [d]);
  let width = 2 + 2 * blocks.check(learned.at("waves"), [2, -1])[1];
  const layers = learned.at("layers").list();
  if (!layers.length) learned.at("layers").fail("a list with a layer in it");
  layers.forEach((layer, i) => {
    const out = i === layers.length - 1 ? d : -1;
    const shape = blocks.check(layer.at("weight"), [out, width]);
    width = blocks.check(layer.at("bias"), [shape[0]])[0];
  });
}

/** How many values the model can be told; 0: it is told nothing. */
function checkCondition(condition: Checker, blocks: Blocks, n: number): number {
  if (condition.isNull()) return 0;
  condition.at("title").string();
  const names = condition.at("names").list();
  for (const name of names) name.string();
  condition.at("first").integer(0, names.length - 1);
  if (!condition.at("codes").isNull()) blocks.check(condition.at("codes"), [n]);
  return names.length;
}

/** That every layer is known and its weights are there; whether the shapes fit is for `plan.ts`. */
function checkModel(root: Checker, blocks: Blocks, k: number): void {
  if (!root.at("why").isNull()) root.at("why").string();
  const model = root.at("model");
  if (model.isNull()) return;
  model.at("mean").oneOf(["sigmoid", "continuous-bernoulli"]);
  const encoder = model.at("encoder");
  const parts = encoder.isNull() ? [] : ["trunk", "mu", "logvar"].map((part) => encoder.at(part));
  const lists = [...parts, model.at("decoder")];
  for (const layers of lists) for (const layer of layers.list()) checkLayer(layer, blocks, k);
}

const KINDS =
  "linear conv convTranspose affine leakyRelu relu tanh sigmoid softBound reshape".split(" ");

function checkLayer(layer: Checker, blocks: Blocks, k: number): void {
  const kind = layer.at("kind").oneOf(KINDS);
  if (kind === "linear" || kind === "conv" || kind === "convTranspose") {
    const any = kind === "linear" ? [-1, -1] : [-1, -1, -1, -1];
    const shape = blocks.check(layer.at("weight"), any);
    const out = kind === "convTranspose" ? shape[1] : shape[0];
    if (!layer.at("bias").isNull()) blocks.check(layer.at("bias"), [out], ...(k ? [[k, out]] : []));
  }
  if (kind === "conv" || kind === "convTranspose") {
    layer
      .at("stride")
      .list(2)
      .forEach((side) => side.integer(1, MAX_SIDE));
    layer
      .at("padding")
      .list(2)
      .forEach((side) => side.integer(0, MAX_SIDE));
  }
  if (kind === "convTranspose") {
    layer
      .at("outputPadding")
      .list(2)
      .forEach((side) => side.integer(0, MAX_SIDE));
  }
  if (kind === "affine") {
    const [channels] = blocks.check(layer.at("scale"), [-1]);
    blocks.check(layer.at("shift"), [channels]);
  }
  if (kind === "leakyRelu") layer.at("slope").number();
  if (kind === "softBound") layer.at("bound").number();
  if (kind === "reshape") {
    layer
      .at("shape")
      .list()
      .forEach((side) => side.integer(1, MAX_COUNT));
  }
}
