import { classColors } from "../colors";
import { selectionColumn } from "../selections";
import type { ColorMode } from "./color_mode";

/** The selections that are kept, each in its colour. */
export const selections: ColorMode = {
  choices: ({ selections }) =>
    selections.value.length ? [{ name: "selections", title: "selections" }] : [],
  create({ selections, n, isDark }) {
    const kept = selections.value;
    const column = selectionColumn(kept, n);
    const most = Math.max(0, ...kept.map(({ hue }) => hue));
    const colors = classColors(most + 1, isDark.value);
    const shades = kept.map(({ name, rows, hue }, code) => ({
      ...{ name, codes: [code], count: rows.length, rgb: colors[hue] },
    }));
    return { scale: null, column, shades };
  },
};
