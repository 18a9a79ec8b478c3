import { useMemo } from "preact/hooks";
import { setCurrent } from "../state/actions";
import { useCell } from "../state/cell";
import { classColors, css, UNKNOWN } from "../state/colors";
import { className, count, number } from "../state/origin";
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
  // One axis for the curves, the pictures and the numbers below them.
  const [from, to] = high > low ? [low, high] : [low - 1, low + 1];
  const values = Array.from({ length: STEPS }, (_, i) => from + ((to - from) * (i + 0.5)) / STEPS);
  const { ridges, nClasses } = useRidges(neuron, from, to);
  const hasLongNames = ridges.some((ridge) => ridge.name.length > 4);
  return (
    <section
      aria-label={`Neuron ${name}`}
      data-testid="neuron"
      style={{ "--zs-names": hasLongNames ? "84px" : "34px" }}
    >
      <h2>Neuron {name}</h2>
      <p class="zs-hint">
        {isUsed ? `KL ${number(kl)} nats` : `Unused: KL ${number(kl, 3)} nats`}, mean {number(mean)}
        , deviation {number(std)}
        {mutualInformation !== null && `; tells ${number(mutualInformation)} nats about the class`}.
        {nClasses > ridges.length && ` Of ${count(nClasses)} classes, the first ${ridges.length}:`}
      </p>
      <Ridges ridges={ridges} />
      <div class="zs-along">
        {decoder?.canDecode && (
          <PictureGrid
            columns={STEPS}
            rows={1}
            cells={[explorer.current]}
            version={`${neuron}`}
            label={`Pictures for ${name} from ${number(values[0], 1)} to ${number(values[STEPS - 1], 1)}`}
            vector={(at, out) => (out[neuron] = values[at])}
            nameOf={(at) => `${name} ${number(values[at], 1)}`}
            onChoose={(_, z) => setCurrent(explorer, z, { kind: "neuron", neuron })}
          />
        )}
        <div class="zs-axis-x zs-ends" aria-hidden="true">
          <span>{number(from, 1)}</span>
          <span>{number((from + to) / 2, 1)}</span>
          <span>{number(to, 1)}</span>
        </div>
      </div>
    </section>
  );
}

interface Ridge {
  label: number;
  name: string;
  path: string;
}

/** How often each value comes: a curve per class. */
function useRidges(
  neuron: number,
  from: number,
  to: number,
): { ridges: Ridge[]; nClasses: number } {
  const { explorer } = usePage();
  return useMemo(() => {
    const { labels, manifest, n } = explorer;
    if (!labels) {
      const path = areaPath(histogram(explorer, neuron, from, to));
      return { ridges: [{ name: "all", label: -1, path }], nClasses: 1 };
    }
    const rows = new Map<number, number[]>();
    for (let row = 0; row < n; row++) {
      const some = rows.get(labels[row]);
      if (some) some.push(row);
      else rows.set(labels[row], [row]);
    }
    const ridges = [...rows]
      .sort(([a], [b]) => a - b)
      .slice(0, MOST_CLASSES)
      .map(([label, some]) => ({
        label,
        name: className(manifest, label),
        path: areaPath(histogram(explorer, neuron, from, to, some)),
      }));
    return { ridges, nClasses: rows.size };
  }, [neuron]);
}

/** The curves above one another. */
function Ridges({ ridges }: { ridges: Ridge[] }) {
  const { explorer } = usePage();
  const isDark = useCell(explorer.isDark);
  const colors = classColors(explorer.manifest.classNames.length, isDark);
  return (
    <div
      class="zs-ridges"
      role="img"
      aria-label="How often each value of the neuron comes, by class"
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
