/** Members of a scene: of each the manifest says what differs from its own, and what follows is a whole one. */
import type { Manifest } from "./manifest";

/** A whole manifest for every member; of a scene without members, its own. */
export function manifestsOf(manifest: Manifest): Manifest[] {
  const { members, ...own } = manifest;
  if (!members) return [manifest];
  return members.list.map((member) => ({ ...own, ...member.manifest }) as Manifest);
}

/** Whether two members show the same images, row by row. */
export const areSameImages = (one: Manifest, other: Manifest): boolean =>
  one.points.indices === other.points.indices && one.points.thumbnails === other.points.thumbnails;
