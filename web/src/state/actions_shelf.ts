/** What a person can do with vectors that are kept, as functions of the explorer. */
import { asStep } from "./actions";
import { change } from "./change";
import type { Explorer, Kept } from "./explorer";
import { freeName } from "./selections";

export const setKept = (explorer: Explorer, kept: readonly Kept[], isSettled = true): void =>
  asStep(explorer, () => change(explorer, "kept", kept), isSettled);

/** Puts the current vector on the shelf, under a name that none there has. */
export function keep(explorer: Explorer): Kept {
  const { kept, current } = explorer;
  const taken = new Set(kept.value.map(({ name }) => name));
  let number = kept.value.length + 1;
  while (taken.has(`kept ${number}`)) number++;
  const own = { name: `kept ${number}`, z: current.value.z };
  setKept(explorer, [...kept.value, own]);
  return own;
}

/** Puts these on the shelf too; a name that is taken gets a number. */
export function keepMore(explorer: Explorer, more: readonly Kept[]): void {
  const all = [...explorer.kept.value];
  for (const { name, z } of more) all.push({ name: freeName(all, name), z });
  setKept(explorer, all);
}

/** Another name; one that is taken gets a number, an empty one changes nothing. */
export function renameKept(explorer: Explorer, old: string, wanted: string): void {
  const { value } = explorer.kept;
  const name = wanted.trim();
  if (!name || name === old) return;
  const others = value.filter((each) => each.name !== old);
  const renamed = (each: Kept): Kept =>
    each.name === old ? { ...each, name: freeName(others, name) } : each;
  setKept(explorer, value.map(renamed));
}

export const dropKept = (explorer: Explorer, name: string): void =>
  setKept(
    explorer,
    explorer.kept.value.filter((each) => each.name !== name),
  );
