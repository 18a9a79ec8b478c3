import {
  flip,
  openTab,
  randomZ,
  redo,
  resetZ,
  setLayout,
  setMap,
  takeTool,
  undo,
} from "../state/actions";
import { clearPath } from "../state/actions_path";
import { clearSelection } from "../state/actions_selection";
import { keep } from "../state/actions_shelf";
import { openStep } from "../state/actions_story";
import type { Explorer } from "../state/explorer";
import { TOOLS } from "../tools/tools";
import { TABS } from "./tabs";

const titles = (of: readonly { title: string }[]): string =>
  of.map(({ title }) => title.toLowerCase()).join(", ");

/** What the help lists; the switch below does. */
export const SHORTCUTS: readonly (readonly [keys: string, does: string])[] = [
  [TOOLS.map(({ key }) => key).join("  "), `${titles(TOOLS)}: what dragging does`],
  ["Arrows", "on the map: move it under the mark in its centre; with Shift farther"],
  ["Enter", "on the map: a click in its centre; of the lasso a corner, with Shift the last one"],
  ["+  −  0", "on the map: nearer, farther, all of it"],
  ["[  ]", "previous and next map"],
  ["C  T  L  E", "contours; pictures instead of dots; names; the most central picture of each"],
  [`1 … ${TABS.length}`, titles(TABS)],
  ["/", "search, where there are columns"],
  ["R  Z", "a random vector; all neurons 0"],
  ["F", "picture, map and story alone, large; Esc ends it"],
  ["N  B", "the next step of the story, the one before; Page Down and Page Up"],
  ["K", "keeps the current vector on the shelf"],
  ["Ctrl Z  Ctrl Shift Z", "undo, redo"],
  ["D", "dark or light"],
  ["Esc", "lets go of the selection and the path"],
  ["?", "this list"],
];

/** Letters typed into a field are not commands. */
function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target instanceof HTMLInputElement)
    return target.type !== "range" && target.type !== "checkbox";
  return (
    target instanceof HTMLTextAreaElement ||
    target instanceof HTMLSelectElement ||
    target.isContentEditable
  );
}

export function onShortcut(explorer: Explorer, event: KeyboardEvent, openHelp: () => void): void {
  if (event.defaultPrevented || isTyping(event.target) || event.altKey) return;
  if (event.target instanceof Element && event.target.closest("dialog")) return;
  const key = event.key.toLowerCase();
  if (event.ctrlKey || event.metaKey) {
    if (key !== "z") return;
    if (event.shiftKey) redo(explorer);
    else undo(explorer);
  } else if (!press(explorer, key, openHelp)) return;
  event.preventDefault();
  if (key === "/") {
    // Once the tab is drawn.
    const within = event.currentTarget as HTMLElement | Document;
    requestAnimationFrame(() => within.querySelector<HTMLElement>("[data-search]")?.focus());
  }
}

/** Steps of the story; a presenter's clicker sends the last two. */
const STEPS: Record<string, number> = { n: 1, b: -1, pagedown: 1, pageup: -1 };

/** Whether the key means something. */
function press(explorer: Explorer, key: string, openHelp: () => void): boolean {
  const tool = TOOLS.find((each) => each.key.toLowerCase() === key);
  const tab = TABS[Number(key) - 1];
  if (tool) takeTool(explorer, tool.name);
  else if (tab) openTab(explorer, tab.name);
  else if (key === "c") flip(explorer, "hasContours");
  else if (key === "t") flip(explorer, "hasThumbnails");
  else if (key === "l") flip(explorer, "hasNames");
  else if (key === "e") flip(explorer, "hasExamples");
  else if (key === "d") flip(explorer, "isDark");
  else if (key === "r") randomZ(explorer);
  else if (key === "z") resetZ(explorer);
  else if (key === "k") keep(explorer);
  else if (key === "f") setLayout(explorer, "present");
  else if (STEPS[key] && explorer.step.value >= 0)
    openStep(explorer, explorer.step.value + STEPS[key]);
  else if (key === "escape" && explorer.layout.value !== "full") setLayout(explorer, "full");
  else if (key === "[") nextMap(explorer, -1);
  else if (key === "]") nextMap(explorer, 1);
  else if (key === "/" && explorer.tabs.includes("columns")) openTab(explorer, "columns");
  else if (key === "?") openHelp();
  else if (key === "escape") {
    clearSelection(explorer);
    clearPath(explorer);
  } else return false;
  return true;
}

function nextMap(explorer: Explorer, step: number): void {
  const names = explorer.manifest.maps.map((spec) => spec.name);
  const at = names.indexOf(explorer.map.value);
  setMap(explorer, names[(at + step + names.length) % names.length] ?? names[0]);
}
