import { groupsOf } from "../bins";
import { classColors, UNKNOWN } from "../colors";
import type { CategoryColumn } from "../columns";
import type { ColorMode } from "./color_mode";

export const classes: ColorMode = {
  choices: ({ labels }) => (labels ? [{ name: "class", title: "class" }] : []),
  create({ facets, isDark }) {
    const column = facets.get("class") as CategoryColumn;
    const colors = classColors(column.categories.length, isDark.value);
    const colorOf = (code: number) => colors[code] ?? UNKNOWN;
    return {
      scale: null,
      column,
      shades: groupsOf(column).map((group) => ({ ...group, rgb: colorOf(group.codes[0]) })),
    };
  },
};
