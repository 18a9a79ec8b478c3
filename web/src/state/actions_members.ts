/** Changing over to another member of the scene: a moment of the training, another model. */
import { areSameImages } from "../scene/members";
import type { Scene } from "../scene/source";
import type { Trails } from "../view/view";
import { prototypeOf, setColor, setDecoder, setMap } from "./actions";
import { clearPath } from "./actions_path";
import { change } from "./change";
import { hasColor } from "./coloring";
import type { Decoder } from "./decoder";
import { type Explorer, hasMap } from "./explorer";
import type { Current } from "./origin";

/** Those that the explorer can change over to: they show the same images, row by row. */
export const membersHere = ({ scene }: Explorer): number[] =>
  scene.members
    .filter((each) => areSameImages(each.manifest, scene.manifest))
    .map(({ member }) => member);

/**
 * Shows another member. What one looks at stays: the picture of the data, the class, and any other vector if it is
 * one of the new member too; else the picture of the data nearest to it.
 */
export function setMember(explorer: Explorer, member: number): void {
  const { scene, current, dim, nearest, map, color } = explorer;
  if (member === explorer.member.value || !membersHere(explorer).includes(member)) return;
  const { row } = nearest.value;
  const other = scene.members[member]!.manifest;
  const isSameSpace = other.latentDim === dim;
  if (!isSameSpace) clearPath(explorer);
  change(explorer, "posterior", null);
  change(explorer, "decoder", null); // that of another
  change(explorer, "member", member);
  change(explorer, "current", here(explorer, current.value, row, isSameSpace));
  if (!hasMap(other, map.value)) setMap(explorer, other.maps[0]!.name);
  if (!hasColor(explorer, color.value))
    setColor(explorer, explorer.order.length ? `z${explorer.order[0]}` : "error", false);
  change(explorer, "wanted", member); // now there is a vector for its network
}

function here(
  explorer: Explorer,
  { z, origin }: Current,
  row: number,
  isSameSpace: boolean,
): Current {
  const { mu, dim } = explorer;
  if (origin.kind === "class") return { z: prototypeOf(explorer, origin.index), origin };
  if (origin.kind !== "row" && isSameSpace)
    return { z, origin: origin.kind === "place" ? { kind: "given" } : origin };
  return { z: mu.slice(row * dim, (row + 1) * dim), origin: { kind: "row", row } };
}

/** Shows from where the points are on the map beside this one. */
export const showTrails = (explorer: Explorer, trails: Trails | null): void =>
  change(explorer, "trails", trails);

/** Gives the explorer the network of the member that is shown, now and after every change. Returns the end of it. */
export function followNetworks(
  explorer: Explorer,
  networks: (scene: Scene) => Decoder | Promise<Decoder>,
): () => void {
  const give = (): void => {
    const member = explorer.member.value;
    const network = networks(explorer.scene);
    if (!(network instanceof Promise)) return setDecoder(explorer, network);
    void network.then((ready) => {
      if (explorer.member.value === member) setDecoder(explorer, ready);
    });
  };
  if (!explorer.decoder.value) give();
  return explorer.wanted.subscribe(give);
}
