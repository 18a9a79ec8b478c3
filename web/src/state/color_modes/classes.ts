import { classColors, UNKNOWN } from "../colors";
import type { ColorMode } from "./color_mode";

export const classes: ColorMode = {
  choices: ({ labels }) => (labels ? [{ name: "class", title: "class" }] : []),
  create({ labels, manifest, isDark }) {
    const colors = classColors(manifest.classNames.length, isDark.value);
    return { scale: null, color: (row) => colors[labels![row]] ?? UNKNOWN };
  },
};
