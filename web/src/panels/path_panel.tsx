import { useEffect, useRef, useState } from "preact/hooks";
import { copyText, download, fileName } from "../output/files";
import { encodeGif } from "../output/gif";
import { drawStrip, toFrames } from "../output/strip";
import { vectorsText } from "../output/text";
import {
  changePath,
  clearPath,
  say,
  setCurrent,
  setPathEnd,
  settle,
  takeTool,
} from "../state/actions";
import { useCell } from "../state/cell";
import { whenReady } from "../state/decoder";
import { number } from "../state/origin";
import { type Along, MAX_STOPS, type Path, rowsOf, vectorAt } from "../state/path";
import { multiple, type Trust } from "../state/trust";
import { usePage } from "./context";
import { Icon } from "./icons";
import { asWhat, Picture } from "./picture";
import { Select } from "./select";

const FRAME_MS = 160;
const SECONDS_PER_STOP = 0.35;

export function PathPanel() {
  const { explorer } = usePage();
  const path = useCell(explorer.path);
  const tool = useCell(explorer.tool);
  const decoder = useCell(explorer.decoder);
  return (
    <>
      <div class="zs-buttons">
        <button
          type="button"
          aria-pressed={tool === "path"}
          onClick={() => takeTool(explorer, tool === "path" ? "walk" : "path")}
        >
          Draw on map
        </button>
        <button type="button" onClick={() => setPathEnd(explorer, true)}>
          Start here
        </button>
        <button type="button" onClick={() => setPathEnd(explorer, false)}>
          End here
        </button>
        {path && (
          <button type="button" onClick={() => clearPath(explorer)}>
            Clear
          </button>
        )}
      </div>
      {decoder?.canDecode === false && <p class="zs-hint">{explorer.manifest.why}</p>}
      {path ? (
        <Strip path={path} />
      ) : (
        <p class="zs-hint">
          Two clicks on the map make a straight path, a stroke a free one. Or take the current
          picture as its start, go elsewhere, and take that as its end.
        </p>
      )}
    </>
  );
}

/** Pixels of all stops, (n, c, h, w), when they are there. */
function useStops(path: Path): Float32Array | null {
  const { explorer } = usePage();
  const decoder = useCell(explorer.decoder);
  const [stops, setStops] = useState<{ path: Path; pixels: Float32Array } | null>(null);
  useEffect(() => {
    let isWanted = true;
    if (decoder?.canDecode) {
      whenReady(
        decoder.decode(path.vectors, path.n),
        (pixels) => isWanted && setStops({ path, pixels }),
        (error) => say(explorer, String((error as Error).message)),
      );
    }
    return () => {
      isWanted = false;
    };
  }, [path, decoder]);
  return stops?.path === path ? stops.pixels : null;
}

function Strip({ path }: { path: Path }) {
  const { explorer } = usePage();
  const pixels = useStops(path);
  const places = useCell(explorer.trail)!.stops;
  const trust = useCell(explorer.stopTrust);
  const { look } = explorer;
  const choose = (stop: number) =>
    setCurrent(explorer, vectorAt(path, stop / (path.n - 1)), { kind: "path", stop });
  return (
    <>
      <div class="zs-buttons">
        <Select
          label="Way"
          value={path.along}
          onChange={(along) => changePath(explorer, { along: along as Along })}
        >
          {path.source?.along === "map" && <option value="map">as drawn</option>}
          {path.source?.along === "given" && <option value="given">as given</option>}
          <option value="line">straight in z</option>
          <option value="slerp">great circle in z</option>
        </Select>
        <label class="zs-select">
          <span>Pictures</span>
          <input
            type="number"
            min={2}
            max={MAX_STOPS}
            value={path.n}
            onChange={({ currentTarget: field }) => {
              changePath(explorer, { n: field.valueAsNumber });
              field.value = String(explorer.path.value!.n); // may be another number than was typed, or none was
            }}
          />
        </label>
        <Play path={path} />
      </div>
      <p class="zs-hint">
        Below each: where it lies on the map, and how far from the nearest picture of the data, in
        usual distances.
      </p>
      <ol class="zs-strip" data-testid="strip">
        {Array.from({ length: path.n }, (_, stop) => (
          <li key={stop}>
            <button type="button" class="zs-stop" onClick={() => choose(stop)}>
              {pixels ? (
                <Picture
                  pixels={pixels}
                  offset={(stop * pixels.length) / path.n}
                  look={look}
                  label=""
                />
              ) : (
                <span
                  class="zs-picture zs-empty"
                  style={{ aspectRatio: `${look[2]} / ${look[1]}` }}
                />
              )}
              <span class="zs-stop-text">
                <span class="zs-hidden-text">Stop </span>
                <b>{stop + 1}</b> {short(places[2 * stop])}, {short(places[2 * stop + 1])}
              </span>
              <Far trust={trust[stop]} />
            </button>
          </li>
        ))}
      </ol>
      <Export path={path} pixels={pixels} />
    </>
  );
}

function Far({ trust }: { trust: Trust }) {
  if (trust.level === "unknown") return null;
  return (
    <span class="zs-far" data-level={trust.level} title={trust.sentence}>
      {multiple(trust.ratio)}
    </span>
  );
}

/** Of a coordinate, what fits below a small picture. */
const short = (value: number): string => number(value, Math.abs(value) < 9.95 ? 1 : 0);

function Play({ path }: { path: Path }) {
  const { explorer } = usePage();
  const [isPlaying, setPlaying] = useState(false);
  const request = useRef(0);
  useEffect(() => {
    if (!isPlaying) return;
    const isStill = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const duration = 1000 * SECONDS_PER_STOP * (path.n - 1) * (isStill ? 2 : 1);
    const start = performance.now();
    let mine = explorer.current.value;
    const step = (now: number): void => {
      // Whoever goes elsewhere stops it.
      if (explorer.current.value !== mine) return setPlaying(false);
      // There and back again.
      const phase = (Math.max(now - start, 0) / duration) % 2;
      let t = phase < 1 ? phase : 2 - phase;
      if (isStill) t = Math.round(t * (path.n - 1)) / (path.n - 1);
      setCurrent(explorer, vectorAt(path, t), { kind: "path", stop: t * (path.n - 1) }, false);
      mine = explorer.current.value;
      request.current = requestAnimationFrame(step);
    };
    request.current = requestAnimationFrame(step);
    return () => {
      cancelAnimationFrame(request.current);
      if (explorer.current.value === mine) settle(explorer); // one can undo to where it stopped
    };
  }, [isPlaying, path]);
  return (
    <button type="button" aria-pressed={isPlaying} onClick={() => setPlaying(!isPlaying)}>
      <Icon name={isPlaying ? "pause" : "play"} />
      {isPlaying ? "Stop" : "Play"}
    </button>
  );
}

function Export({ path, pixels }: { path: Path; pixels: Float32Array | null }) {
  const { explorer } = usePage();
  const [note, setNote] = useState("");
  const { look, manifest } = explorer;
  const told = useCell(explorer.told);
  const name = fileName(manifest.title + asWhat(explorer, told), "path");
  const rows = () => rowsOf(path.vectors, path.n);
  const savePng = () =>
    drawStrip(pixels!, path.n, look, explorer.trail.value!.stops).toBlob(
      (blob) => blob && download(`${name}.png`, blob),
    );
  const saveGif = () => {
    const bytes = encodeGif(toFrames(pixels!, path.n, look), FRAME_MS);
    download(`${name}.gif`, new Blob([bytes as Uint8Array<ArrayBuffer>], { type: "image/gif" }));
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
