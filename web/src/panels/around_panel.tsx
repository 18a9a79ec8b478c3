import { useMemo, useState } from "preact/hooks";
import { flip, setCurrent, setMap } from "../state/actions";
import { useCell } from "../state/cell";
import { pairName } from "../state/explorer";
import { count, number } from "../state/origin";
import { usePage } from "./context";
import { IconButton } from "./icons";
import { Nearest } from "./nearest";
import { PictureGrid } from "./picture_grid";
import { PosteriorSection } from "./posterior";
import { NeuronSelect, Select } from "./select";

const COLUMNS = 10;
const ROWS = 10;
/** A picture is at most so wide; the numbers beside them take the rest. */
const TILE_PX = 64;
const AXIS_PX = 40;

export function AroundPanel() {
  const { explorer } = usePage();
  const decoder = useCell(explorer.decoder);
  if (decoder && !decoder.canDecode)
    return (
      <>
        <p class="zs-hint">{explorer.manifest.why}</p>
        <Nearest />
      </>
    );
  return (
    <>
      <Progression />
      {explorer.dim > 1 && <Manifold />}
      <Nearest />
      <PosteriorSection />
    </>
  );
}

/** `n` values from -limit to limit. */
const spread = (limit: number, n: number): number[] =>
  Array.from({ length: n }, (_, i) => (limit * (2 * i - n + 1)) / (n - 1));

/** Of all neurons, in halves: what the data reaches. */
function useLimit(): number {
  const { explorer } = usePage();
  return useMemo(() => {
    const reach = explorer.manifest.neurons.map(({ low, high }) => Math.max(-low, high));
    return Math.max(Math.ceil(2 * Math.max(...reach)) / 2, 0.5);
  }, []);
}

function Progression() {
  const { explorer } = usePage();
  const { order, manifest, dim } = explorer;
  const [page, setPage] = useState(0);
  const limit = useLimit();
  const values = spread(limit, ROWS).reverse(); // large on top, as on an axis
  const neurons = order.slice(page * COLUMNS, (page + 1) * COLUMNS);
  const nPages = Math.ceil(dim / COLUMNS);
  return (
    <section aria-label="Each neuron alone">
      <div class="zs-section-head">
        <h2>Each neuron alone</h2>
        {nPages > 1 && (
          <span class="zs-pages">
            <IconButton
              icon="before"
              label="Neurons before"
              isDisabled={page === 0}
              onClick={() => setPage(page - 1)}
            />
            <span class="zs-muted">
              {page + 1} of {count(nPages)}
            </span>
            <IconButton
              icon="after"
              label="Neurons after"
              isDisabled={page === nPages - 1}
              onClick={() => setPage(page + 1)}
            />
          </span>
        )}
      </div>
      <p class="zs-hint">
        A column per neuron, all others as they are. Click a picture to go there.
      </p>
      <div class="zs-plot" style={{ maxWidth: `${TILE_PX * neurons.length + AXIS_PX}px` }}>
        <div class="zs-axis-y" aria-hidden="true">
          {values.map((value) => (
            <span key={value}>{number(value, 1)}</span>
          ))}
        </div>
        <PictureGrid
          columns={neurons.length}
          rows={ROWS}
          cells={[explorer.current]}
          version={`${page}`}
          label={`Pictures for values from ${number(-limit, 1)} to ${number(limit, 1)} of each of ${neurons.length} neurons`}
          vector={(at, out) =>
            (out[neurons[at % neurons.length]] = values[Math.floor(at / neurons.length)])
          }
          nameOf={(at) =>
            `${manifest.neurons[neurons[at % neurons.length]].name} ${number(values[Math.floor(at / neurons.length)], 1)}`
          }
          onChoose={(at, z) =>
            setCurrent(explorer, z, { kind: "neuron", neuron: neurons[at % neurons.length] })
          }
        />
        <div class="zs-axis-x" aria-hidden="true">
          {neurons.map((neuron) => (
            <span key={neuron} class={manifest.neurons[neuron].isUsed ? "" : "zs-unused"}>
              {manifest.neurons[neuron].name}
            </span>
          ))}
        </div>
      </div>
    </section>
  );
}

function Manifold() {
  const { explorer } = usePage();
  const { order, manifest } = explorer;
  const [[first, second], setPair] = useState([order[0], order[1]]);
  const [n, setN] = useState(10);
  const limit = useLimit();
  const map = useCell(explorer.map);
  const hasTiles = useCell(explorer.hasTiles);
  const values = spread(limit, n);
  const name = pairName(first, second);
  const isUnder = hasTiles && map === name;
  const choose = (next: [number, number]) => setPair(next[0] === next[1] ? [second, first] : next);
  const layUnder = () => {
    if (!isUnder) setMap(explorer, name);
    flip(explorer, "hasTiles", !isUnder);
  };
  const place = (at: number): [number, number] => [
    values[at % n],
    values[n - 1 - Math.floor(at / n)],
  ];
  return (
    <section aria-label="Two neurons together">
      <h2>Two neurons together</h2>
      <div class="zs-buttons">
        <NeuronSelect
          label="Across"
          value={first}
          onChange={(neuron) => choose([neuron, second])}
        />
        <NeuronSelect label="Up" value={second} onChange={(neuron) => choose([first, neuron])} />
        <Select label="Tiles" value={String(n)} onChange={(text) => setN(Number(text))}>
          {[8, 10, 15, 20].map((each) => (
            <option key={each} value={String(each)}>
              {each} × {each}
            </option>
          ))}
        </Select>
        <button type="button" aria-pressed={isUnder} onClick={layUnder}>
          Lay it under the map
        </button>
      </div>
      <div class="zs-plot">
        <div class="zs-axis-y zs-ends" aria-hidden="true">
          <span>{number(limit, 1)}</span>
          <span>{manifest.neurons[second].name}</span>
          <span>{number(-limit, 1)}</span>
        </div>
        <PictureGrid
          columns={n}
          rows={n}
          cells={[explorer.current]}
          version={`${first},${second},${n}`}
          label={`Pictures for ${manifest.neurons[first].name} across and ${manifest.neurons[second].name} up`}
          vector={(at, out) => ([out[first], out[second]] = place(at))}
          nameOf={(at) => {
            const [across, up] = place(at).map((value) => number(value, 1));
            return `${manifest.neurons[first].name} ${across}, ${manifest.neurons[second].name} ${up}`;
          }}
          onChoose={(_, z) => setCurrent(explorer, z, { kind: "neuron", neuron: first })}
        />
        <div class="zs-axis-x zs-ends" aria-hidden="true">
          <span>{number(-limit, 1)}</span>
          <span>{manifest.neurons[first].name}</span>
          <span>{number(limit, 1)}</span>
        </div>
      </div>
    </section>
  );
}
