/** Sets of points that can be compared: what is selected, kept or shown, and the classes. */
import { groupsOf } from "./bins";
import type { CategoryColumn } from "./columns";
import type { Explorer } from "./explorer";
import { joined, shownRows } from "./selections";

export interface PointSet {
  /** In lists; the same as long as it is there. */
  key: string;
  title: string;
}

/** More classes than that nobody picks from a list. */
const MOST_CLASSES = 60;

export function pointSets(explorer: Explorer): PointSet[] {
  const { selections, facets } = explorer;
  const classes = facets.get("class") as CategoryColumn | undefined;
  const groups = classes ? groupsOf(classes).filter(({ kind }) => kind === "value") : [];
  return [
    { key: "selected", title: "what is selected" },
    { key: "rest", title: "the rest of what is shown" },
    ...selections.value.map(({ name }) => ({ key: `kept ${name}`, title: name })),
    ...groups.slice(0, MOST_CLASSES).map(({ name, codes }) => ({
      ...{ key: `class ${codes[0]}`, title: `class “${name}”` },
    })),
  ];
}

/** The points of a set, ascending; none of one that is gone. @param other what the rest is the rest of */
export function rowsOfSet(explorer: Explorer, key: string, other: string): readonly number[] {
  const { chosen, selections, visible, labels, n } = explorer;
  const shown = (): number[] => shownRows(visible.value, n);
  if (key === "selected") return chosen.value;
  if (key === "rest")
    return joined(shown(), other === "rest" ? [] : rowsOfSet(explorer, other, ""), "subtract");
  const kept = selections.value.find(({ name }) => key === `kept ${name}`);
  if (kept) return kept.rows;
  return shown().filter((row) => key === `class ${labels?.[row]}`);
}
