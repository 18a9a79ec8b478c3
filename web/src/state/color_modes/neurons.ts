import { signed } from "../colors";
import type { ColorMode } from "./color_mode";

/** The number of the neuron in a colour's name ("z3"), or null. */
export function neuronOf(color: string, dim: number): number | null {
  const match = /^z(\d{1,5})$/.exec(color);
  return match && Number(match[1]) < dim ? Number(match[1]) : null;
}

/** The value of a neuron. */
export const neurons: ColorMode = {
  choices: ({ order, manifest }) =>
    order.map((neuron) => ({
      name: `z${neuron}`,
      title: `neuron ${manifest.neurons[neuron].name}`,
    })),
  create({ mu, dim, manifest, isDark }, color) {
    const neuron = neuronOf(color, dim)!;
    const { low, high, name } = manifest.neurons[neuron];
    const limit = Math.max(Math.abs(low), Math.abs(high)) || 1;
    const dark = isDark.value;
    const scale = {
      title: `Neuron ${name}`,
      low: -limit,
      high: limit,
      unit: "",
      color: (t: number) => signed(t, dark),
      about: "grey is 0",
    };
    return { scale, value: (row) => mu[row * dim + neuron] };
  },
};
