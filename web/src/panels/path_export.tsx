import { useState } from "preact/hooks";
import { copyText, download, fileName } from "../output/files";
import { encodeGif } from "../output/gif";
import { drawStrip, toCanvas, toFrames } from "../output/strip";
import { vectorsText } from "../output/text";
import { canRecord, recordWebm } from "../output/webm";
import { say } from "../state/actions";
import { useCell } from "../state/cell";
import { type Path, rowsOf, vectorAt } from "../state/path";
import { toImage } from "../state/thumbnails";
import { usePage } from "./context";
import { asWhat } from "./picture";

const GIF_MS = 160;
const FILM_MS = 40;
/** Of a film, from one stop to the next. */
const FRAMES_PER_STEP = 8;
const FILM_PX = 336;

/** The path as files of many kinds. */
export function PathExport({ path, pixels }: { path: Path; pixels: Float32Array | null }) {
  const { explorer } = usePage();
  const [note, setNote] = useState("");
  const [isFilming, setFilming] = useState(false);
  const { look, manifest } = explorer;
  const told = useCell(explorer.told);
  const name = fileName(manifest.title + asWhat(explorer, told), "path");
  const rows = () => rowsOf(path.vectors, path.n);
  const savePng = () =>
    drawStrip(pixels!, path.n, look, explorer.trail.value!.stops).toBlob(
      (blob) => blob && download(`${name}.png`, blob),
    );
  const saveGif = () => {
    const bytes = encodeGif(toFrames(pixels!, path.n, look), GIF_MS);
    download(`${name}.gif`, new Blob([bytes as Uint8Array<ArrayBuffer>], { type: "image/gif" }));
  };
  const saveFilm = async () => {
    const [, height, width] = look;
    const canvas = document.createElement("canvas");
    const zoom = Math.max(1, Math.round(FILM_PX / Math.max(height, width)));
    canvas.width = zoom * width;
    canvas.height = zoom * height;
    const context = canvas.getContext("2d")!;
    context.imageSmoothingEnabled = false;
    const decoder = explorer.decoder.value!; // as what it is decoded now, whatever is chosen meanwhile
    const nFrames = FRAMES_PER_STEP * (path.n - 1) + 1;
    setFilming(true);
    try {
      const film = await recordWebm(canvas, nFrames, FILM_MS, async (i) => {
        const picture = await decoder.decode(vectorAt(path, i / (nFrames - 1)), 1);
        context.drawImage(toCanvas(toImage(picture, 0, look)), 0, 0, canvas.width, canvas.height);
      });
      download(`${name}.webm`, film);
    } catch (error) {
      say(explorer, `The film could not be recorded: ${(error as Error).message}`);
    } finally {
      setFilming(false);
    }
  };
  const saveJson = () =>
    download(`${name}.json`, new Blob([JSON.stringify(rows())], { type: "application/json" }));
  const copy = async () => {
    setNote(
      (await copyText(vectorsText(rows())))
        ? "Copied: paste it into Python"
        : "The browser has no clipboard here",
    );
    setTimeout(() => setNote(""), 2400);
  };
  return (
    <div class="zs-buttons zs-export" role="group" aria-label="Save the path">
      <button type="button" disabled={!pixels} onClick={savePng}>
        PNG
      </button>
      <button type="button" disabled={!pixels} onClick={saveGif}>
        GIF
      </button>
      {canRecord() && (
        <button
          type="button"
          disabled={!pixels || isFilming}
          title="A film, with pictures between the stops too; recording takes as long as it plays"
          onClick={() => void saveFilm()}
        >
          {isFilming ? "Recording …" : "WebM"}
        </button>
      )}
      <button type="button" title="The vectors, for Python: as_vectors(Path(…))" onClick={saveJson}>
        JSON
      </button>
      <button type="button" onClick={copy}>
        Copy for Python
      </button>
      <span class="zs-muted" role="status">
        {note}
      </span>
    </div>
  );
}
