import { setCurrent, takeTool } from "../state/actions";
import { addAnchor, changePath, clearPath, setPathEnd } from "../state/actions_path";
import { useCell } from "../state/cell";
import { number } from "../state/origin";
import { type Along, MAX_ANCHORS, MAX_STOPS, type Path, vectorAt } from "../state/path";
import { multiple, type Trust } from "../state/trust";
import { BETWEEN, WAY_TITLES } from "../state/ways";
import { Anchors } from "./anchors";
import { usePage } from "./context";
import { PathExport } from "./path_export";
import { Picture } from "./picture";
import { Play } from "./play";
import { Select } from "./select";
import { useDecoded } from "./use_decoded";
import { Ways } from "./ways";

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
        {path && (
          <button
            type="button"
            disabled={path.anchors.length >= MAX_ANCHORS}
            title="By way of the current vector, before the path ends"
            onClick={() => addAnchor(explorer)}
          >
            Through here
          </button>
        )}
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
        <>
          <Anchors path={path} />
          <Strip path={path} />
        </>
      ) : (
        <p class="zs-hint">
          Two clicks on the map make a straight path, a stroke a free one. Or take the current
          picture as its start, go elsewhere, and take that as its end.
        </p>
      )}
    </>
  );
}

function Strip({ path }: { path: Path }) {
  const { explorer } = usePage();
  const pixels = useDecoded(path.vectors);
  const places = useCell(explorer.trail)!.stops;
  const trust = useCell(explorer.stopTrust);
  const { look } = explorer;
  const own = path.source?.along;
  const ways: readonly Along[] = own ? [own, ...BETWEEN] : BETWEEN;
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
          {ways.map((along) => (
            <option key={along} value={along}>
              {WAY_TITLES[along]}
            </option>
          ))}
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
      <Ways path={path} />
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
      <PathExport path={path} pixels={pixels} />
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
