import { useMemo, useState } from "preact/hooks";
import { choosePrototype, setColor } from "../state/actions";
import { useCell } from "../state/cell";
import { neuronOf } from "../state/color_modes/neurons";
import { css, inkOn, redBlue } from "../state/colors";
import { count, number } from "../state/origin";
import { usePage } from "./context";
import { NeuronDetail } from "./neuron_detail";

/** More than this many at a time nobody reads. */
const MOST_ROWS = 30;
const NUMBERS_UP_TO = 12;

export function ClassesPanel() {
  const { explorer } = usePage();
  const { manifest, order, dim } = explorer;
  const color = useCell(explorer.color);
  const neuron = neuronOf(color, dim) ?? order[0];
  return (
    <>
      {manifest.prototypes ? (
        <Heatmap chosen={neuron} />
      ) : (
        <>
          <p class="zs-hint">
            These pictures have no classes. Choose a neuron to see how it spreads over the map.
          </p>
          <div class="zs-buttons">
            {order.map((each) => (
              <button
                key={each}
                type="button"
                aria-pressed={each === neuron}
                onClick={() => setColor(explorer, `z${each}`)}
              >
                {manifest.neurons[each].name}
              </button>
            ))}
          </div>
        </>
      )}
      <NeuronDetail neuron={neuron} />
    </>
  );
}

/** Mean of every neuron in every class; the table of the Python figure. */
function Heatmap({ chosen }: { chosen: number }) {
  const { explorer } = usePage();
  const { manifest, order, dim, scene } = explorer;
  const { vectors, counts } = manifest.prototypes!;
  const [search, setSearch] = useState("");
  const means = useMemo(() => scene.floats(vectors), []);
  const limit = useMemo(() => means.reduce((top, value) => Math.max(top, Math.abs(value)), 0), []);
  const all = manifest.classNames.map((_, i) => i).filter((i) => counts[i] > 0);
  const found = all.filter((i) =>
    manifest.classNames[i].toLowerCase().includes(search.toLowerCase()),
  );
  const rows = found.slice(0, MOST_ROWS);
  const hasNumbers = dim <= NUMBERS_UP_TO;
  // Enough to tell the largest from 0.
  const decimals = limit > 0 ? Math.min(Math.max(1 - Math.floor(Math.log10(limit)), 1), 3) : 1;
  return (
    <section aria-label="Classes and neurons">
      <p class="zs-hint">
        The mean of every neuron in every class. Click a neuron to look at it, a class to go to its
        mean.
      </p>
      {all.length > MOST_ROWS && (
        <input
          type="search"
          class="zs-search"
          placeholder={`Find one of ${count(all.length)} classes`}
          aria-label="Find a class"
          value={search}
          onInput={(event) => setSearch(event.currentTarget.value)}
        />
      )}
      <div class="zs-scroll" tabIndex={0} role="region" aria-label="Table of means">
        <table class={hasNumbers ? "zs-heatmap" : "zs-heatmap zs-narrow"} data-testid="heatmap">
          <thead>
            <tr>
              <td />
              {order.map((neuron) => (
                <th key={neuron} scope="col">
                  <button
                    type="button"
                    class="zs-cell-button"
                    aria-pressed={neuron === chosen}
                    aria-label={`Neuron ${manifest.neurons[neuron].name}`}
                    onClick={() => setColor(explorer, `z${neuron}`)}
                  >
                    {manifest.neurons[neuron].name}
                  </button>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((label) => (
              <tr key={label}>
                <th scope="row">
                  <button
                    type="button"
                    class="zs-cell-button"
                    onClick={() => choosePrototype(explorer, label)}
                  >
                    {manifest.classNames[label]}
                  </button>
                </th>
                {order.map((neuron) => {
                  const value = means[label * dim + neuron];
                  const color = redBlue((value / (limit || 1) + 1) / 2);
                  return (
                    <td
                      key={neuron}
                      style={{ background: css(color), color: inkOn(color) }}
                      title={number(value)}
                    >
                      {hasNumbers ? number(value, decimals) : ""}
                    </td>
                  );
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {found.length > MOST_ROWS && (
        <p class="zs-hint">
          The first {MOST_ROWS} of {count(found.length)}; search for the others.
        </p>
      )}
      {found.length === 0 && <p class="zs-hint">No class has this in its name.</p>}
    </section>
  );
}
