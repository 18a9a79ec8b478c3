import type { ComponentChildren } from "preact";
import { usePage } from "./context";

interface Props {
  label: string;
  value: string;
  title?: string;
  onChange(value: string): void;
  children: ComponentChildren;
}

/** A drop-down with its name before it. */
export function Select({ label, value, title, onChange, children }: Props) {
  return (
    <label class="zs-select" title={title ?? ""}>
      <span>{label}</span>
      <select value={value} onChange={(event) => onChange(event.currentTarget.value)}>
        {children}
      </select>
    </label>
  );
}

interface NeuronProps {
  label: string;
  value: number;
  onChange(neuron: number): void;
}

/** All neurons, the one that says most first. */
export function NeuronSelect({ label, value, onChange }: NeuronProps) {
  const { explorer } = usePage();
  return (
    <Select label={label} value={String(value)} onChange={(text) => onChange(Number(text))}>
      {explorer.order.map((neuron) => (
        <option key={neuron} value={String(neuron)}>
          {explorer.manifest.neurons[neuron].name}
          {explorer.manifest.neurons[neuron].isUsed ? "" : " (unused)"}
        </option>
      ))}
    </Select>
  );
}
