import { useEffect, useLayoutEffect, useMemo, useRef } from "preact/hooks";
import { changePath, prepareGraph } from "../state/actions_path";
import { useCell } from "../state/cell";
import { number } from "../state/origin";
import { type Along, isBetween, joinedVectors, type Path } from "../state/path";
import { trustOfStops } from "../state/place";
import { toImage } from "../state/thumbnails";
import { multiple, type Trust } from "../state/trust";
import { BETWEEN, largestStep, WAY_TITLES, wayBetween } from "../state/ways";
import { usePage } from "./context";
import { named } from "./picture";
import { useDecoded } from "./use_decoded";

/** In usual distances: a bar that high is full. */
const FULL = 4;

interface Way {
  along: Along;
  path: Path | string;
}

/** The ways between the same anchors side by side: their pictures, how far from the data they lead, their largest steps. */
export function Ways({ path }: { path: Path }) {
  const { explorer } = usePage();
  const graph = useCell(explorer.graph);
  useEffect(() => prepareGraph(explorer), []);
  const { anchors, n, along } = path;
  const own = isBetween(along) ? null : path;
  const ways = useMemo(() => {
    const between = BETWEEN.map((each): Way => {
      return { along: each, path: wayBetween(explorer, each, anchors, n) };
    });
    return own ? [{ along: own.along, path: own }, ...between] : between;
  }, [anchors, n, own, graph]);
  const found = ways.flatMap((way) => (typeof way.path === "string" ? [] : [way.path]));
  const vectors = useMemo(() => joinedVectors(found.map((each) => each.vectors)), [ways]);
  const trust = useMemo(() => found.map((each) => trustOfStops(explorer, each)), [ways]);
  const pixels = useDecoded(vectors);
  const [c, h, w] = explorer.manifest.imageShape;
  let start = 0;
  return (
    <section aria-label="Ways side by side" data-testid="ways">
      <h2>Ways side by side</h2>
      <p class="zs-hint">
        Bars say how far each stop is from the data: low where pictures lie densely. A step is how
        much two neighbouring pictures differ (root mean square, of black to white).
      </p>
      <div class="zs-ways">
        {ways.map((way) => {
          const isChosen = way.along === along;
          if (typeof way.path === "string")
            return (
              <p key={way.along} class="zs-hint">
                <b>{WAY_TITLES[way.along]}</b>: {way.path}
              </p>
            );
          const at = found.indexOf(way.path);
          const size = way.path.n * c * h * w;
          const part = pixels?.subarray(start, (start += size)) ?? null;
          return (
            <button
              key={way.along}
              type="button"
              class="zs-way"
              aria-pressed={isChosen}
              onClick={() => changePath(explorer, { along: way.along })}
            >
              <WayRow along={way.along} path={way.path} trust={trust[at]} pixels={part} />
            </button>
          );
        })}
      </div>
    </section>
  );
}

interface RowProps {
  along: Along;
  path: Path;
  trust: readonly Trust[];
  pixels: Float32Array | null;
}

function WayRow({ along, path: { n }, trust, pixels }: RowProps) {
  const { explorer } = usePage();
  const { look } = explorer;
  const [, height, width] = look;
  const canvas = useRef<HTMLCanvasElement>(null);
  useLayoutEffect(() => {
    const context = canvas.current?.getContext("2d");
    if (!pixels || !context) return;
    for (let i = 0; i < n; i++)
      context.putImageData(toImage(pixels, (i * pixels.length) / n, look), i * width, 0);
  }, [pixels, n]);
  const ratios = trust.map(({ ratio }) => ratio);
  const far = ratios.indexOf(Math.max(...ratios));
  const step = pixels && largestStep(pixels, n);
  return (
    <>
      <span class="zs-way-head">
        <b>{WAY_TITLES[along]}</b>
        <span class="zs-muted">
          {trust[far].level !== "unknown" && `farthest ${multiple(ratios[far])}`}
          {step &&
            ` · largest step ${number(100 * step.size, 0)} %, ${step.at + 1} to ${step.at + 2}`}
        </span>
      </span>
      <canvas ref={canvas} class="zs-grid" width={n * width} height={height} {...named("")} />
      <span class="zs-way-bars" aria-hidden="true">
        {trust.map(({ ratio, level }, i) => (
          <span
            key={i}
            data-level={level}
            style={{ height: `${Math.max(100 * Math.min(ratio / FULL, 1), 4)}%` }}
          />
        ))}
      </span>
    </>
  );
}
