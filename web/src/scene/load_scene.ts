/** Reads a scene from wherever it lies, and believes nothing it has not checked. */
import { pageOf, unpack } from "./block_bytes";
import { checkManifest } from "./check_manifest";
import type { Block } from "./manifest";
import { manifestsOf } from "./members";
import { toDoubles, toFloats, toInts } from "./numbers";
import { type DataSource, type Scene, SceneError } from "./source";

/**
 * The scene behind a source, with all of its bytes at hand but for those of blocks in pages.
 *
 * @throws SceneError for anything a person can do something about: another version, a truncated or
 * damaged block, parts that do not belong together, nothing to show, no answer.
 */
export async function loadScene(source: DataSource): Promise<Scene> {
  const manifest = checkManifest(await source.manifest());
  const names = Object.keys(manifest.blocks).filter((name) => !manifest.blocks[name].pages);
  const entries = await Promise.all(
    names.map(async (name): Promise<[string, Uint8Array]> => {
      const stored = await source.bytes(name);
      return [name, await unpack(name, manifest.blocks[name], stored)];
    }),
  );
  const bytes = new Map(entries);
  // Weights are read once and repacked; points are read often. A weak reference serves both.
  const known = new Map<string, WeakRef<Float32Array>>();

  function find(name: string): [Block, Uint8Array] {
    const found = bytes.get(name);
    if (!found) throw new SceneError(`This scene has no block “${name}”.`);
    return [manifest.blocks[name], found];
  }

  const whole = {
    source,
    floats(name: string) {
      const kept = known.get(name)?.deref();
      if (kept) return kept;
      const floats = toFloats(...find(name));
      known.set(name, new WeakRef(floats));
      return floats;
    },
    doubles: (name: string) => toDoubles(...find(name)),
    ints: (name: string) => toInts(...find(name)),
    raw: (name: string) => find(name)[1],
    async page(name: string, at: number) {
      const { block, part } = pageOf(manifest.blocks[name], at);
      return unpack(`${name}, page ${at}`, block, await source.bytes(name, part));
    },
  };
  const members: Scene[] = [];
  for (const [member, own] of manifestsOf(manifest).entries())
    members.push({ ...whole, manifest: own, members, member, about: manifest.members ?? null });
  return members[manifest.members?.first ?? 0];
}
