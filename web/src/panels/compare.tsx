import { useEffect, useLayoutEffect, useMemo, useState } from "preact/hooks";
import { openTab, setColor, setCurrent } from "../state/actions";
import { walkBetween } from "../state/actions_path";
import { compareSets, meanOf } from "../state/actions_selection";
import { useCell } from "../state/cell";
import { hasColor } from "../state/coloring";
import { columnDifferences, type Difference, isClear, neuronDifferences } from "../state/compare";
import { dateText } from "../state/dates";
import { whenReady } from "../state/decoder";
import { count, number } from "../state/origin";
import { joined } from "../state/selections";
import { pointSets, rowsOfSet } from "../state/sets";
import type { Thumbnails } from "../state/thumbnails";
import { usePage } from "./context";
import { Term } from "./glossary";
import { Picture, SignedPicture } from "./picture";
import { Select } from "./select";

const FIRST_SHOWN = 8;
/** Pictures that a mean is taken of; more would not change what is seen. */
const MOST_AVERAGED = 2000;
/** Where each has to be read first. */
const MOST_READ = 200;

/** How two sets of pictures differ. */
export function Compare() {
  const { explorer } = usePage();
  const [a, b] = useCell(explorer.versus);
  const selections = useCell(explorer.selections);
  const chosen = useCell(explorer.chosen);
  const filters = useCell(explorer.filters);
  const sets = pointSets(explorer);
  const [rowsA, rowsB] = useMemo(
    () => [rowsOfSet(explorer, a, b), rowsOfSet(explorer, b, a)],
    [a, b, selections, chosen, filters],
  );
  const nBoth = useMemo(() => joined(rowsA, rowsB, "intersect").length, [rowsA, rowsB]);
  const titleOf = (key: string): string => sets.find((each) => each.key === key)?.title ?? "";
  const choose = (label: string, value: string, set: (key: string) => void) => (
    <Select label={label} value={value} onChange={set}>
      {sets.map(({ key, title }) => (
        <option key={key} value={key}>
          {title}
        </option>
      ))}
    </Select>
  );
  return (
    <section aria-label="A against B" data-testid="compare">
      <h2>A against B</h2>
      <div class="zs-buttons">
        {choose("A", a, (key) => compareSets(explorer, key, b))}
        {choose("B", b, (key) => compareSets(explorer, a, key))}
      </div>
      {rowsA.length < 2 || rowsB.length < 2 ? (
        <p class="zs-hint">
          Two sets of at least two pictures each; A has {count(rowsA.length)}, B has{" "}
          {count(rowsB.length)}.
        </p>
      ) : (
        <>
          <p class="zs-hint">
            A: {count(rowsA.length)}, {titleOf(a)}. B: {count(rowsB.length)}, {titleOf(b)}.
            {nBoth > 0 && ` ${count(nBoth)} are in both.`}
          </p>
          <MeanPictures a={rowsA} b={rowsB} />
          <Ranked
            title="Neurons"
            find={() => neuronDifferences(explorer, rowsA, rowsB)}
            of={[rowsA, rowsB]}
          />
          <Ranked
            title="Columns"
            find={() => columnDifferences(explorer, rowsA, rowsB)}
            of={[rowsA, rowsB]}
          />
          <p class="zs-hint">
            <Term name="d′" />, of shares <Term name="Cohen’s h" />, with what 95 of 100 samples of
            this size would give, each by itself. Right of the line: A has more. Dimmed: chance
            alone may do it. Of many neurons some differ by chance; what was selected by a neuron
            differs in it.
          </p>
        </>
      )}
    </section>
  );
}

interface Sets {
  a: readonly number[];
  b: readonly number[];
}

/** The pictures' mean, what the mean vectors decode to, and what A has more of. */
function MeanPictures({ a, b }: Sets) {
  const { explorer, thumbnails } = usePage();
  const { dim, look } = explorer;
  const decoder = useCell(explorer.decoder);
  const [decoded, setDecoded] = useState<Float32Array[] | null>(null);
  const vectors = useMemo(() => [meanOf(explorer, a), meanOf(explorer, b)], [a, b]);
  const [means, setMeans] = useState<Float32Array[] | null>(null);
  useLayoutEffect(() => {
    let isOver = false;
    const [ofA, ofB] = [a, b].map((rows) => meanPicture(rows, thumbnails));
    const both = ofA instanceof Promise ? Promise.all([ofA, ofB]) : [ofA, ofB as Float32Array];
    whenReady(
      both,
      (ready) => !isOver && setMeans(ready),
      () => undefined, // said where pictures are read
    );
    return () => {
      isOver = true;
    };
  }, [a, b]);
  useEffect(() => {
    if (!decoder?.canDecode) return;
    const both = new Float32Array(2 * dim);
    vectors.forEach((z, i) => both.set(z, i * dim));
    let isOver = false;
    whenReady(
      decoder.decode(both, 2),
      (pixels) => {
        const half = pixels.length / 2;
        if (!isOver) setDecoded([pixels.slice(0, half), pixels.slice(half)]);
      },
      () => undefined,
    );
    return () => {
      isOver = true;
    };
  }, [vectors, decoder]);
  const rows = [
    ...(means ? [{ title: "Mean of the pictures", pair: means, of: thumbnails.look }] : []),
    ...(decoded ? [{ title: "Mean vector, decoded", pair: decoded, of: look }] : []),
  ];
  const walk = () => {
    walkBetween(explorer, vectors[1], vectors[0]);
    openTab(explorer, "path");
  };
  const add = () =>
    setCurrent(
      explorer,
      explorer.current.value.z.map((value, i) => value + vectors[0][i] - vectors[1][i]),
      { kind: "sum", text: "This one + A − B" },
    );
  return (
    <>
      <table class="zs-means">
        <thead>
          <tr>
            <td />
            <th scope="col">A</th>
            <th scope="col">B</th>
            <th scope="col">A − B</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ title, pair, of }) => (
            <tr key={title}>
              <th scope="row">{title}</th>
              {pair.map((pixels, i) => (
                <td key={i ? "b" : "a"}>
                  <Picture pixels={pixels} look={of} label={`${title}, ${i ? "B" : "A"}`} />
                </td>
              ))}
              <td>
                <SignedPicture
                  pixels={pair[0].map((value, i) => value - pair[1][i])}
                  look={of}
                  label={`${title}: red where A is brighter, blue where B is`}
                />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <div class="zs-buttons">
        <button type="button" onClick={walk}>
          Walk from B to A
        </button>
        <button
          type="button"
          title="Adds the difference of the two means to the current vector"
          onClick={add}
        >
          Add A − B to this one
        </button>
      </div>
    </>
  );
}

/** Of evenly spaced ones, where there are many. */
function meanPicture(
  rows: readonly number[],
  { pixels, isPaged }: Thumbnails,
): Float32Array | Promise<Float32Array> {
  const n = Math.min(rows.length, isPaged ? MOST_READ : MOST_AVERAGED);
  const some = Array.from({ length: n }, (_, i) => pixels(rows[Math.floor((i * rows.length) / n)]));
  return isPaged ? Promise.all(some).then(meanOfAll) : meanOfAll(some as Float32Array[]);
}

function meanOfAll(pictures: readonly Float32Array[]): Float32Array {
  const sums = new Float64Array(pictures[0].length);
  for (const pixels of pictures) for (let k = 0; k < sums.length; k++) sums[k] += pixels[k];
  return Float32Array.from(sums, (sum) => sum / pictures.length);
}

interface RankedProps {
  title: string;
  find(): Difference[];
  /** Found anew when one of them changes. */
  of: readonly unknown[];
}

function Ranked({ title, find, of }: RankedProps) {
  const { explorer } = usePage();
  const color = useCell(explorer.color);
  const [isWhole, setWhole] = useState(false);
  const all = useMemo(find, [...of]);
  const reach = Math.max(0.5, ...all.map(({ effect }) => Math.abs(effect) || 0)) * 1.15;
  const x = (value: number): number => 50 + (50 * Math.max(-reach, Math.min(reach, value))) / reach;
  const shown = isWhole ? all : all.slice(0, FIRST_SHOWN);
  return (
    <>
      <table class="zs-ranked" data-testid={`differ-${title.toLowerCase()}`}>
        <thead>
          <tr>
            <th scope="col">{title}</th>
            <td />
            <th scope="col">differ by</th>
            <th scope="col">A</th>
            <th scope="col">B</th>
          </tr>
        </thead>
        <tbody>
          {shown.map((each) => (
            <tr key={each.title} class={isClear(each) ? "" : "zs-unclear"}>
              <th scope="row">
                <button
                  type="button"
                  class="zs-neuron"
                  title={`Colour the map by ${each.title}`}
                  aria-pressed={color === each.color}
                  disabled={!hasColor(explorer, each.color)}
                  onClick={() => setColor(explorer, each.color)}
                >
                  {each.title}
                </button>
              </th>
              <td>
                <svg viewBox="0 0 100 20" preserveAspectRatio="none" aria-hidden="true">
                  <path class="zs-zero" d="M50 0V20" />
                  {Number.isFinite(each.effect) && (
                    <>
                      <path class="zs-whisker" d={`M${x(each.low)} 10H${x(each.high)}`} />
                      <path class="zs-effect" d={`M${x(each.effect)} 4V16`} />
                    </>
                  )}
                </svg>
              </td>
              <td title={`${number(each.low)} to ${number(each.high)}`}>
                {Number.isFinite(each.effect) ? number(each.effect) : "–"}{" "}
                <span class="zs-muted">± {number((each.high - each.low) / 2)}</span>
              </td>
              <td>{textOf(each, each.a)}</td>
              <td>{textOf(each, each.b)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {all.length > FIRST_SHOWN && (
        <p class="zs-hint">
          <button type="button" class="zs-link" onClick={() => setWhole(!isWhole)}>
            {isWhole ? `the first ${FIRST_SHOWN}` : `all ${count(all.length)}`}
          </button>
        </p>
      )}
    </>
  );
}

function textOf({ kind }: Difference, value: number): string {
  if (Number.isNaN(value)) return "–";
  if (kind === "neuron") return number(value);
  if (kind === "share") return `${number(100 * value, value < 0.1 ? 1 : 0)} %`;
  return kind === "date"
    ? dateText(value, "day")
    : String(Number(value.toPrecision(3))).replace("-", "−");
}
