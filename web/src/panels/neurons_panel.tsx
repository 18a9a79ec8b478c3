import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { readVector } from "../output/text";
import {
  choosePrototype,
  randomZ,
  resetZ,
  say,
  setColor,
  setCurrent,
  setNeuron,
  settle,
} from "../state/actions";
import { useCell } from "../state/cell";
import type { Explorer } from "../state/explorer";
import { number } from "../state/origin";
import { whenIdle } from "../state/slices";
import { ClassSelect } from "./class_select";
import { useChanges, usePage } from "./context";
import { densityPath } from "./density";
import { Term } from "./glossary";

export function NeuronsPanel() {
  const { explorer } = usePage();
  const { manifest, order } = explorer;
  const nUnused = manifest.neurons.filter((neuron) => !neuron.isUsed).length;
  return (
    <>
      <div class="zs-buttons">
        <button type="button" onClick={() => resetZ(explorer)}>
          Reset
        </button>
        <button type="button" onClick={() => randomZ(explorer)}>
          Random
        </button>
        {manifest.prototypes && (
          <ClassSelect
            label="Set to the mean"
            placeholder="mean of …"
            onChange={(index) => choosePrototype(explorer, index)}
          />
        )}
        <PasteVector />
      </div>
      <p class="zs-hint">
        In the order of how much each says about the pictures (<Term name="KL" />,{" "}
        <Term name="nats" />
        ).
        {nUnused > 0 && ` ${nUnused} of ${order.length} say next to nothing and are dimmed.`}
      </p>
      <Sliders />
    </>
  );
}

function Sliders() {
  const { explorer } = usePage();
  const { order } = explorer;
  const list = useRef<HTMLUListElement>(null);
  const show = () => {
    const { z } = explorer.current.value;
    const rows = list.current!.children;
    order.forEach((neuron, i) => {
      showValue(rows[i] as HTMLElement, z[neuron], reachOf(explorer, neuron));
    });
  };
  // All rows at once, past Preact: 64 sliders follow the pointer.
  useChanges([explorer.current], show);
  return (
    // Whoever leaves a field sees what is, not what was typed: nothing, or half a number.
    <ul ref={list} class="zs-sliders" onFocusOut={show}>
      {order.map((neuron) => (
        <SliderRow key={neuron} neuron={neuron} />
      ))}
    </ul>
  );
}

/** What a slider covers: a little more than the data. */
function reachOf({ manifest }: Explorer, neuron: number): [number, number] {
  const { low, high } = manifest.neurons[neuron];
  const margin = Math.max((high - low) * 0.06, 0.1);
  return [low - margin, high + margin];
}

function showValue(row: HTMLElement, value: number, [min, max]: [number, number]): void {
  const slider = row.querySelector<HTMLInputElement>("input[type=range]")!;
  const field = row.querySelector<HTMLInputElement>("input[type=number]")!;
  // A slider cannot leave its range, a vector can; and the range must not move under the hand.
  const isHeld = document.activeElement === slider;
  const from = Math.min(min, value, isHeld ? Number(slider.min) : min);
  const to = Math.max(max, value, isHeld ? Number(slider.max) : max);
  slider.min = String(from);
  slider.max = String(to);
  slider.value = String(value);
  slider.setAttribute("aria-valuetext", number(value));
  // The curve was drawn from min to max, in 100 units.
  const unit = 100 / (max - min);
  const box = `${unit * (from - min)} 0 ${unit * (to - from)} 20`;
  row.querySelector("svg")!.setAttribute("viewBox", box);
  if (document.activeElement !== field) field.value = value.toFixed(2);
}

function SliderRow({ neuron }: { neuron: number }) {
  const { explorer } = usePage();
  const color = useCell(explorer.color);
  const { name, kl, isUsed } = explorer.manifest.neurons[neuron];
  const curve = useRef<SVGPathElement>(null);
  const [min, max] = reachOf(explorer, neuron);
  useEffect(() => {
    // Counting can wait until the page stands.
    return whenIdle(() =>
      curve.current?.setAttribute("d", densityPath(explorer, neuron, min, max)),
    );
  }, []);
  return (
    <li class={isUsed ? "zs-slider" : "zs-slider zs-unused"}>
      <button
        type="button"
        class="zs-neuron"
        aria-pressed={color === `z${neuron}`}
        title={`Colour the map by ${name}`}
        onClick={() => setColor(explorer, `z${neuron}`)}
      >
        {name}
      </button>
      <span class="zs-range">
        <svg preserveAspectRatio="none" aria-hidden="true">
          <path ref={curve} />
        </svg>
        <input
          type="range"
          step="any"
          aria-label={`Neuron ${name}${isUsed ? "" : ", unused"}`}
          onInput={(event) => setNeuron(explorer, neuron, event.currentTarget.valueAsNumber, false)}
          onChange={() => settle(explorer)}
          onDblClick={() => setNeuron(explorer, neuron, 0)}
        />
      </span>
      <input
        type="number"
        class="zs-value"
        step="0.1"
        aria-label={`Value of ${name}`}
        onInput={(event) => setNeuron(explorer, neuron, event.currentTarget.valueAsNumber, false)}
        onChange={({ currentTarget: field }) => {
          if (Number.isFinite(field.valueAsNumber)) settle(explorer);
          else field.value = explorer.current.value.z[neuron].toFixed(2); // it was emptied
        }}
      />
      <span class="zs-kl" title={isUsed ? "KL, nats" : "KL, nats: this neuron is not used"}>
        {isUsed ? number(kl, kl < 10 ? 2 : 1) : "unused"}
      </span>
    </li>
  );
}

/** Takes a vector as Python writes it. */
function PasteVector() {
  const { explorer } = usePage();
  const [isOpen, setOpen] = useState(false);
  const [isWrong, setWrong] = useState(false);
  const example = useMemo(() => "{0: -0.5, 1: 1.2}", []);
  if (!isOpen) {
    return (
      <button type="button" title="Type or paste a vector" onClick={() => setOpen(true)}>
        Enter a vector
      </button>
    );
  }
  return (
    <input
      class="zs-paste"
      placeholder={example}
      aria-label="A vector, as dict or list"
      aria-invalid={isWrong}
      ref={(field) => field?.focus()}
      onKeyDown={(event) => {
        if (event.key === "Escape") setOpen(false);
        if (event.key !== "Enter") return;
        const z = readVector(event.currentTarget.value, explorer.dim);
        setWrong(z === null);
        if (z) {
          setCurrent(explorer, z, { kind: "given" });
          setOpen(false);
        } else {
          say(
            explorer,
            `A vector of this model is ${explorer.dim} numbers, or a dict such as ${example}.`,
          );
        }
      }}
      onBlur={() => setOpen(false)}
    />
  );
}
