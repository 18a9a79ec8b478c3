import { useState } from "preact/hooks";
import { drawnFrom } from "../maps/spread";
import { flip, setCurrent } from "../state/actions";
import { useCell } from "../state/cell";
import { number } from "../state/origin";
import { usePage, useRested } from "./context";
import { Term } from "./glossary";
import { PictureGrid } from "./picture_grid";

const COLUMNS = 8;
const ROWS = 2;

/** How sure the encoder is of the current vector, on the map and as pictures it might as well be. */
export function PosteriorSection() {
  const { explorer } = usePage();
  const isOn = useCell(explorer.hasPosterior);
  const decoder = useCell(explorer.decoder);
  if (decoder && !decoder.canEncode) return null;
  return (
    <section aria-label="Posterior" data-testid="posterior">
      <div class="zs-section-head">
        <h2>How sure the encoder is</h2>
        <button type="button" aria-pressed={isOn} onClick={() => flip(explorer, "hasPosterior")}>
          Show it
        </button>
      </div>
      {isOn && <Samples />}
    </section>
  );
}

function Samples() {
  const { explorer } = usePage();
  const [seed, setSeed] = useState(0);
  const { order, manifest, current, posterior } = explorer;
  const { origin } = useRested(current);
  const spread = useCell(posterior);
  const variances = spread?.of === current.value ? spread.variances : null;
  const widest = variances
    ? [...order]
        .sort((a, b) => variances[b] - variances[a])
        .filter((i) => manifest.neurons[i].isUsed)
    : [];
  const deviations = widest
    .slice(0, 3)
    .map((i) => `${manifest.neurons[i].name} ± ${number(Math.sqrt(variances![i]))}`);
  return (
    <>
      <p class="zs-hint">
        The ellipse on the map holds 95 of 100 vectors of the <Term name="posterior" />
        {origin.kind === "row" ? "" : " of the decoded picture"}, these are {COLUMNS * ROWS} of
        them.
        {deviations.length > 0 && ` Least sure: ${deviations.join(", ")}.`}
      </p>
      <PictureGrid
        columns={COLUMNS}
        rows={ROWS}
        cells={[posterior, current]}
        version={String(seed)}
        label="Pictures drawn from the posterior"
        nameOf={(at) => `Draw ${at + 1}`}
        vector={(at, out) => {
          const { value } = posterior;
          if (value?.of === current.value)
            out.set(drawnFrom(current.value.z, value.variances, seed * COLUMNS * ROWS + at));
        }}
        onChoose={(at, z) =>
          setCurrent(explorer, z, { kind: "sum", text: `Draw ${at + 1} of the posterior` })
        }
      />
      <div class="zs-buttons">
        <button type="button" onClick={() => setSeed(seed + 1)}>
          Draw others
        </button>
      </div>
    </>
  );
}
