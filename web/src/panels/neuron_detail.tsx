import { useMemo } from "preact/hooks";
import { setNeuron } from "../state/actions";
import { useCell } from "../state/cell";
import { classColors, css, UNKNOWN } from "../state/colors";
import { number } from "../state/origin";
import { usePage } from "./context";
import { areaPath, histogram } from "./density";
import { PictureGrid } from "./picture_grid";

const STEPS = 9;
const MOST_CLASSES = 20;

/** One neuron: in numbers, in every class, and in pictures. */
export function NeuronDetail({ neuron }: { neuron: number }) {
  const { explorer } = usePage();
  const decoder = useCell(explorer.decoder);
  const { name, kl, mean, std, low, high, isUsed, mutualInformation } =
    explorer.manifest.neurons[neuron];
  const values = Array.from({ length: STEPS }, (_, i) => low + ((high - low) * i) / (STEPS - 1));
  return (
    <section aria-label={`Neuron ${name}`} data-testid="neuron">
      <h2>Neuron {name}</h2>
      <p class="zs-hint">
        {isUsed ? `KL ${number(kl)} nats` : `Unused: KL ${number(kl, 3)} nats`}, mean {number(mean)}
        , deviation {number(std)}
        {mutualInformation !== null && `; tells ${number(mutualInformation)} nats about the class`}.
      </p>
      <Ridges neuron={neuron} low={low} high={high} />
      {decoder?.canDecode && (
        <div class="zs-plot zs-no-axis">
          <PictureGrid
            columns={STEPS}
            rows={1}
            cells={[explorer.current]}
            version={`${neuron}`}
            label={`Pictures for ${name} from ${number(low, 1)} to ${number(high, 1)}`}
            vector={(at, out) => (out[neuron] = values[at])}
            onChoose={(at) => setNeuron(explorer, neuron, values[at])}
          />
        </div>
      )}
      <div class="zs-axis-x zs-ends" aria-hidden="true">
        <span>{number(low, 1)}</span>
        <span>{number((low + high) / 2, 1)}</span>
        <span>{number(high, 1)}</span>
      </div>
    </section>
  );
}

/** How often each value comes, one curve per class, above one another. */
function Ridges({ neuron, low, high }: { neuron: number; low: number; high: number }) {
  const { explorer } = usePage();
  const { labels, manifest, n } = explorer;
  const isDark = useCell(explorer.isDark);
  const colors = classColors(manifest.classNames.length, isDark);
  const ridges = useMemo(() => {
    const [from, to] = high > low ? [low, high] : [low - 1, low + 1];
    if (!labels)
      return [{ name: "all", label: -1, path: areaPath(histogram(explorer, neuron, from, to)) }];
    const rows = new Map<number, number[]>();
    for (let row = 0; row < n; row++) {
      const some = rows.get(labels[row]);
      if (some) some.push(row);
      else rows.set(labels[row], [row]);
    }
    return [...rows]
      .sort(([a], [b]) => a - b)
      .slice(0, MOST_CLASSES)
      .map(([label, some]) => ({
        label,
        name: manifest.classNames[label] ?? "unknown",
        path: areaPath(histogram(explorer, neuron, from, to, some)),
      }));
  }, [neuron]);
  return (
    <div
      class="zs-ridges"
      role="img"
      aria-label="How often each value of the neuron comes, by class"
      style={{ "--zs-names": ridges.some((ridge) => ridge.name.length > 4) ? "84px" : "34px" }}
    >
      {ridges.map(({ name, label, path }) => (
        <div key={label} class="zs-ridge">
          <span title={name}>{name}</span>
          <svg viewBox="0 0 100 20" preserveAspectRatio="none" aria-hidden="true">
            <path d={path} style={{ fill: css(colors[label] ?? UNKNOWN) }} />
          </svg>
        </div>
      ))}
    </div>
  );
}
