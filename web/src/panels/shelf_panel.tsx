import { useMemo } from "preact/hooks";
import { download, fileName } from "../output/files";
import { readShelf, shelfText } from "../output/text";
import { say, setCurrent } from "../state/actions";
import { dropKept, keep, keepMore, renameKept } from "../state/actions_shelf";
import { useCell } from "../state/cell";
import type { Kept } from "../state/explorer";
import { joinedVectors } from "../state/path";
import { Arithmetic } from "./arithmetic";
import { usePage } from "./context";
import { IconButton } from "./icons";
import { LoadFile } from "./load_file";
import { Picture } from "./picture";
import { StoryMaker } from "./story_maker";
import { useDecoded } from "./use_decoded";

/** Vectors that are kept: looked at, named, returned to, reckoned with, saved and read back. */
export function ShelfPanel() {
  const { explorer } = usePage();
  const kept = useCell(explorer.kept);
  const save = () =>
    download(
      fileName(explorer.manifest.title, "shelf.json"),
      new Blob([shelfText(kept)], { type: "application/json" }),
    );
  const load = (text: string, name: string) => {
    const found = readShelf(text, explorer.dim);
    if (found) keepMore(explorer, found);
    say(explorer, found ? "" : `${name} holds no vectors of ${explorer.dim} numbers under names.`);
  };
  return (
    <>
      <div class="zs-buttons">
        <button type="button" onClick={() => keep(explorer)}>
          Keep this one
        </button>
        <button
          type="button"
          disabled={!kept.length}
          title="The vectors by their names, as JSON: a dict of lists in Python"
          onClick={save}
        >
          Save
        </button>
        <LoadFile label="Load a shelf" accept=".json,application/json" onText={load} />
      </div>
      {kept.length ? (
        <Shelf kept={kept} />
      ) : (
        <p class="zs-hint">
          What you want to come back to. <em>Keep</em>, under the picture, or the key K puts the
          current vector here, with its picture.
        </p>
      )}
      <Arithmetic />
      <StoryMaker />
    </>
  );
}

function Shelf({ kept }: { kept: readonly Kept[] }) {
  const { explorer } = usePage();
  const vectors = useMemo(() => joinedVectors(kept.map(({ z }) => z)), [kept]);
  const pixels = useDecoded(vectors);
  const { look } = explorer;
  return (
    <ul class="zs-shelf" data-testid="shelf">
      {kept.map(({ name, z }, i) => (
        <li key={name}>
          <button
            type="button"
            class="zs-stop"
            aria-label={`Go to ${name}`}
            title="Go there"
            onClick={() =>
              setCurrent(explorer, z, { kind: "sum", text: `From the shelf: ${name}` })
            }
          >
            {pixels ? (
              <Picture
                pixels={pixels}
                offset={(i * pixels.length) / kept.length}
                look={look}
                label=""
              />
            ) : (
              <span
                class="zs-picture zs-empty"
                style={{ aspectRatio: `${look[2]} / ${look[1]}` }}
              />
            )}
          </button>
          <span class="zs-shelf-name">
            <input
              class="zs-name"
              aria-label={`Name of ${name}`}
              value={name}
              onChange={({ currentTarget: field }) => {
                renameKept(explorer, name, field.value);
                field.value = name; // where nothing came of it
              }}
            />
            <IconButton
              icon="close"
              label={`Delete ${name}`}
              onClick={() => dropKept(explorer, name)}
            />
          </span>
        </li>
      ))}
    </ul>
  );
}
