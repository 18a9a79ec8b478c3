import { useState } from "preact/hooks";
import { prototypeOf, setCurrent } from "../state/actions";
import { useCell } from "../state/cell";
import { usePage } from "./context";

interface Term {
  key: string;
  name: string;
  z(): Float32Array;
}

/** a − b + c, of class means and of vectors that were kept. */
export function Arithmetic() {
  const { explorer } = usePage();
  const { manifest } = explorer;
  const kept = useCell(explorer.kept);
  const [keys, setKeys] = useState(["", "", ""]);
  const means = manifest.prototypes
    ? manifest.classNames.flatMap((name, i): Term[] =>
        manifest.prototypes!.counts[i] > 0
          ? [{ key: `c${i}`, name: `“${name}”`, z: () => prototypeOf(explorer, i) }]
          : [],
      )
    : [];
  const terms: Term[] = [
    { key: "here", name: "this one", z: () => explorer.current.value.z },
    ...kept.map(({ name, z }): Term => ({ key: `k ${name}`, name, z: () => z })),
    ...means,
  ];
  const chosen = keys.map(
    (key, i) => terms.find((term) => term.key === key) ?? terms[Math.min(i, terms.length - 1)],
  );
  const calculate = () => {
    const [a, b, c] = chosen.map((term) => term.z());
    const [nameA, nameB, nameC] = chosen.map((term) => term.name);
    setCurrent(
      explorer,
      a.map((value, i) => value - b[i] + c[i]),
      { kind: "sum", text: `${nameA} − ${nameB} + ${nameC}` },
    );
  };
  return (
    <section class="zs-arithmetic" aria-label="Arithmetic">
      <h2>Arithmetic</h2>
      <div class="zs-sum">
        {chosen.map((term, i) => (
          <>
            {i > 0 && <span aria-hidden="true">{i === 1 ? "−" : "+"}</span>}
            <select
              class="zs-plain-select"
              aria-label={["Start with", "Take away", "Add"][i]}
              value={term.key}
              onChange={(event) =>
                setKeys(keys.map((key, at) => (at === i ? event.currentTarget.value : key)))
              }
            >
              {terms.map(({ key, name }) => (
                <option key={key} value={key}>
                  {name}
                </option>
              ))}
            </select>
          </>
        ))}
        <button type="button" onClick={calculate} aria-label="Calculate">
          =
        </button>
      </div>
    </section>
  );
}
