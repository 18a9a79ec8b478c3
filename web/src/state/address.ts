/** A view as JSON: what a link and a step of a story restore. One home for writing it, reading it and doing it. */
import { WAYS } from "../scene/manifest";
import type { FilterSpec } from "../scene/source";
import {
  asStep,
  flip,
  goTo,
  lookAt,
  openTab,
  prototypeOf,
  setColor,
  setFilters,
  setMap,
  setTold,
  setWay,
  sketchAgain,
  takeTool,
  turnTo,
} from "./actions";
import { setMember } from "./actions_members";
import { clearPath, followVectors } from "./actions_path";
import { giveSelections, select, setVersus } from "./actions_selection";
import { setKept } from "./actions_shelf";
import { watch } from "./cell";
import { type Explorer, firstColor, firstMap, type State } from "./explorer";
import { hiddenOf, readFilters, withFilter, writeFilters } from "./filters";
import { type Along, MAX_ANCHORS, MAX_STOPS, rowsOf } from "./path";
import { writeSelections } from "./selections";
import { list, listed, packRows, short, unpackRows, word } from "./short_text";

/** All of it may have been written by anyone. */
export interface Address {
  /** Of a scene with members: which one, from 0. */
  member?: number;
  map?: string;
  view?: [x: number, y: number, scale: number];
  color?: string;
  /** What is decoded, by name. */
  as?: string;
  z?: number[];
  row?: number;
  /** A class, by name, whose mean vector it is. */
  mean?: string;
  /** All stops, and what they go by way of, if by more than the ends. */
  path?: { along: Exclude<Along, "map">; vectors: number[][]; anchors?: number[][] };
  mode?: string;
  way?: string;
  tab?: string;
  /** Of the story, from 1. */
  step?: number;
  /** Which of `SWITCHES` are on. */
  show?: string[];
  /** Classes, by number; what else is filtered, by the names of columns. */
  hidden?: number[];
  filter?: FilterSpec;
  /** Rows that are selected, and those that are kept. */
  selected?: number[];
  selections?: Record<string, number[]>;
  versus?: [a: string, b: string];
  /** The shelf. */
  kept?: { name: string; z: number[] }[];
  /** The drawing: x0, y0, x1, y1 … of every stroke. */
  drawing?: number[][];
}

const SWITCHES = {
  contours: "hasContours",
  pictures: "hasThumbnails",
  tiles: "hasTiles",
  names: "hasNames",
  examples: "hasExamples",
  posterior: "hasPosterior",
} as const satisfies Record<string, keyof State>;
/** Those that are on when the page opens. */
const FIRST_SHOWN = ["pictures", "names"];

const ALONG = ["given", "line", "slerp", "data"];
const MOST_LETTERS = 1e6;

export function writeAddress(address: Address): string {
  const parts: string[] = [];
  const put = (key: string, value: string | undefined): void => {
    if (value) parts.push(`${key}=${encodeURIComponent(value).replaceAll("%2C", ",")}`);
  };
  const { show, selections, kept } = address;
  put("member", address.member?.toString());
  put("map", address.map);
  put("view", address.view?.map((value) => short(value, 6)).join("~"));
  put("color", address.color);
  put("as", address.as);
  put("way", address.way);
  put("mode", address.mode);
  put("tab", address.tab);
  put("step", address.step?.toString());
  put("show", show && (show.join("~") || "none"));
  put("hide", address.hidden?.join("~"));
  put("filter", address.filter && JSON.stringify(address.filter));
  put("row", address.row?.toString());
  put("mean", address.mean);
  put("z", address.z && list(address.z));
  put("path", address.path && [address.path.along, ...address.path.vectors.map(list)].join("!"));
  put("anchors", address.path?.anchors?.map(list).join("!"));
  put("selected", address.selected && packRows(address.selected));
  const named = Object.entries(selections ?? {});
  put("selections", named.map(([name, rows]) => `${word(name)}~${packRows(rows)}`).join("!"));
  put("versus", address.versus?.map(word).join("~"));
  put("kept", kept?.map(({ name, z }) => `${word(name)}~${list(z)}`).join("!"));
  put("drawing", address.drawing?.map((stroke) => stroke.map(Math.round).join("~")).join("!"));
  return parts.join("&");
}

/** The view behind a hash: first the member, on whose neurons the rest depends. */
export function openHash(explorer: Explorer, hash: string, isSettled?: boolean): void {
  const member = /[#&]member=(\d{1,4})(?:&|$)/.exec(hash)?.[1];
  if (member !== undefined) setMember(explorer, Number(member));
  applyAddress(explorer, readAddress(hash, explorer.dim), isSettled);
}

/** Reads a hash; leaves out whatever it cannot use. @param dim of the latent space */
export function readAddress(hash: string, dim: number): Address {
  let query: URLSearchParams;
  try {
    query = new URLSearchParams(hash.replace(/^#/, ""));
  } catch {
    return {};
  }
  const get = (key: string): string | undefined => {
    const text = query.get(key);
    return text && text.length <= MOST_LETTERS ? text : undefined;
  };
  const parts = (key: string, sign: string): string[] | undefined => get(key)?.split(sign);
  const numbers = (key: string): number[] | undefined => parts(key, "~")?.map(Number);
  /** "name~rest!name~rest" */
  const named = (key: string): [name: string, rest: string][] | undefined =>
    parts(key, "!")?.map((entry) => {
      const at = entry.indexOf("~");
      return [unword(entry.slice(0, at)), entry.slice(at + 1)];
    });
  const [along, ...stops] = parts("path", "!") ?? [];
  const selections = named("selections")?.map(([name, rows]) => [name, unpackRows(rows)]);
  return checkAddress(
    {
      ...{ map: get("map"), color: get("color"), as: get("as"), way: get("way") },
      ...{ mean: get("mean"), member: numbers("member")?.[0] },
      ...{ mode: get("mode"), tab: get("tab"), step: numbers("step")?.[0] },
      show: parts("show", "~"),
      ...{ z: numbers("z"), row: numbers("row")?.[0], view: numbers("view") },
      // "map", as older links have it
      path: {
        along: along === "map" ? "given" : along,
        vectors: stops.map(listed),
        anchors: parts("anchors", "!")?.map(listed),
      },
      hidden: numbers("hide"),
      filter: json(get("filter")),
      selected: unpackRows(get("selected") ?? ""),
      selections: selections && Object.fromEntries(selections),
      versus: parts("versus", "~")?.map(unword),
      kept: named("kept")?.map(([name, z]) => ({ name, z: listed(z) })),
      drawing: parts("drawing", "!")?.map(listed),
    },
    dim,
  );
}

/** What of it can be used. */
export function checkAddress(value: unknown, dim: number): Address {
  const raw = isObject(value) ? value : {};
  const path = isObject(raw.path) ? raw.path : {};
  const isStops = (value: unknown, most: number): boolean =>
    isListOf(value, (z) => isNumbers(z, dim)) && value.length > 1 && value.length <= most;
  const isPath =
    ALONG.includes(path.along as string) &&
    isStops(path.vectors, MAX_STOPS) &&
    (path.anchors === undefined || isStops(path.anchors, MAX_ANCHORS));
  const ok: Record<keyof Address, boolean> = {
    ...{ map: isText(raw.map), color: isText(raw.color), as: isText(raw.as) },
    mean: isText(raw.mean),
    ...{ mode: isText(raw.mode), tab: isText(raw.tab) },
    way: isText(raw.way) && Object.hasOwn(WAYS, raw.way),
    view: isNumbers(raw.view, 3) && raw.view[2] > 0,
    z: isNumbers(raw.z, dim),
    ...{ row: isCount(raw.row), step: isCount(raw.step), member: isCount(raw.member) },
    path: isPath,
    show: isListOf(raw.show, isText),
    hidden: isNumbers(raw.hidden),
    filter: isObject(raw.filter),
    selected: isListOf(raw.selected, isCount),
    selections:
      isObject(raw.selections) &&
      Object.values(raw.selections).every((rows) => isListOf(rows, isCount)),
    versus: isListOf(raw.versus, isText) && raw.versus.length === 2,
    kept:
      isListOf(raw.kept, isObject) &&
      raw.kept.every(({ name, z }) => isText(name) && isNumbers(z, dim)),
    drawing: isListOf(raw.drawing, (stroke) => isNumbers(stroke)),
  };
  return Object.fromEntries(
    Object.entries(ok).flatMap(([key, isOk]) => (isOk ? [[key, raw[key]]] : [])),
  );
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isText = (value: unknown): value is string => typeof value === "string" && value !== "";
const isCount = (value: unknown): value is number => Number.isInteger(value) && Number(value) >= 0;
const isListOf = <T>(value: unknown, of: (item: unknown) => item is T): value is T[] =>
  Array.isArray(value) && value.every(of);
const isNumbers = (value: unknown, n?: number): value is number[] =>
  isListOf(value, (item): item is number => Number.isFinite(item)) &&
  (n === undefined || value.length === n);

function json(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? "");
  } catch {
    return undefined;
  }
}

function unword(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return "";
  }
}

export function addressOf(explorer: Explorer): Address {
  const { map, color, told, tool, way, tab, filters, view, current, path } = explorer;
  const { selection, selections, versus, kept, sketch, step } = explorer;
  const { z, origin } = current.value;
  const address: Address = { map: map.value, color: color.value, mode: tool.value, tab: tab.value };
  if (explorer.scene.about) address.member = explorer.member.value;
  if (step.value >= 0) address.step = step.value + 1;
  if (view.value) address.view = [view.value.x, view.value.y, view.value.scale];
  const as = explorer.manifest.condition?.names[told.value];
  if (as !== undefined) address.as = as;
  if (way.value) address.way = way.value;
  const shown = Object.entries(SWITCHES).filter(([, name]) => explorer[name].value);
  address.show = shown.map(([name]) => name);
  const hidden = hiddenOf(filters.value, "class");
  if (hidden.size) address.hidden = [...hidden];
  const { class: _, ...others } = writeFilters(explorer);
  if (Object.keys(others).length) address.filter = others;
  if (origin.kind === "row") address.row = origin.row;
  else if (origin.kind === "class") address.mean = explorer.manifest.classNames[origin.index];
  else address.z = [...z];
  if (path.value) {
    const { vectors, n, along, anchors } = path.value;
    // A link keeps the stops, not the line they were drawn along.
    address.path = { along: along === "map" ? "given" : along, vectors: rowsOf(vectors, n) };
    if (anchors.length > 2) address.path.anchors = anchors.map((anchor) => [...anchor]);
  }
  if (selection.value.length) address.selected = [...selection.value];
  if (selections.value.length) address.selections = writeSelections(selections.value);
  if (versus.value.join() !== "selected,rest") address.versus = [...versus.value];
  if (kept.value.length) address.kept = kept.value.map(({ name, z }) => ({ name, z: [...z] }));
  const { strokes } = sketch.value;
  if (strokes.length) address.drawing = strokes.map((stroke) => stroke.flat());
  return address;
}

/**
 * Shows it: what it does not say is as when the page opens, but what is a person's own (the shelf, kept selections, the
 * drawing, tab, tool and where one is) stays. `isStep`: undo comes back to what was before.
 */
export const applyAddress = (explorer: Explorer, address: Address, isStep = true): void =>
  asStep(explorer, () => showAddress(explorer, address), isStep);

export function showAddress(explorer: Explorer, address: Address): void {
  if (address.member !== undefined) setMember(explorer, address.member);
  const { dim, mu, n, manifest } = explorer;
  const { classNames } = manifest;
  setMap(explorer, address.map ?? firstMap(manifest));
  if (address.selections) giveSelections(explorer, address.selections, false); // before the colour, which may be theirs
  setColor(explorer, address.color ?? firstColor(explorer), false);
  const { names = [], first = 0 } = manifest.condition ?? {};
  setTold(explorer, address.as === undefined ? first : names.indexOf(address.as), false);
  if (address.way) setWay(explorer, address.way);
  if (address.mode) takeTool(explorer, address.mode);
  if (address.tab) openTab(explorer, address.tab);
  if (address.step) turnTo(explorer, address.step - 1);
  const shown = address.show ?? FIRST_SHOWN;
  for (const [name, key] of Object.entries(SWITCHES)) flip(explorer, key, shown.includes(name));
  const filters = readFilters(explorer.facets, address.filter);
  const hidden = { hidden: new Set(explorer.labels ? address.hidden : []) };
  setFilters(explorer, withFilter(filters, "class", hidden), false);
  select(explorer, address.selected ?? []);
  if (address.versus) setVersus(explorer, ...address.versus);
  if (address.kept)
    setKept(
      explorer,
      address.kept.map(({ name, z }) => ({ name, z: Float32Array.from(z) })),
      false,
    );
  if (address.drawing) sketchAgain(explorer, address.drawing);
  const [x, y, scale] = address.view ?? [0, 0, 0];
  lookAt(explorer, scale > 0 ? { x, y, scale } : null);
  if (address.row !== undefined && address.row < n) {
    goTo(explorer, {
      z: mu.slice(address.row * dim, (address.row + 1) * dim),
      origin: { kind: "row", row: address.row },
    });
  } else if (address.mean && manifest.prototypes && classNames.includes(address.mean)) {
    const index = classNames.indexOf(address.mean);
    goTo(explorer, { z: prototypeOf(explorer, index), origin: { kind: "class", index } });
  } else if (address.z) {
    goTo(explorer, { z: Float32Array.from(address.z), origin: { kind: "given" } });
  }
  if (address.path) {
    const { vectors, along, anchors } = address.path;
    followVectors(
      explorer,
      Float32Array.from(vectors.flat()),
      ...([vectors.length, along, false] as const),
      anchors?.map((anchor) => Float32Array.from(anchor)),
    );
  } else clearPath(explorer, false);
}

/** Keeps the page's address true, and follows it when a person changes it. Returns the end of it. */
export function followAddress(explorer: Explorer): () => void {
  const { map, view, color, told, tool, way, tab, filters, current, path } = explorer;
  const { selection, selections, versus, kept, sketch, step } = explorer;
  const switches = Object.values(SWITCHES).map((name) => explorer[name]);
  let timer: ReturnType<typeof setTimeout> | undefined;
  const write = (): void => {
    const hash = `#${writeAddress(addressOf(explorer))}`;
    try {
      history.replaceState(history.state, "", hash);
    } catch {
      // Some browsers refuse this for files; the page works without.
    }
  };
  const stop = watch(
    [
      ...[map, view, color, told, tool, way, tab, filters, current, path, explorer.member],
      ...[selection, selections, versus, kept, sketch, step, ...switches],
    ],
    () => {
      clearTimeout(timer);
      timer = setTimeout(write, 250); // browsers refuse more than a hundred in half a minute
    },
  );
  const read = (): void => openHash(explorer, location.hash);
  addEventListener("hashchange", read);
  return () => {
    clearTimeout(timer);
    stop();
    removeEventListener("hashchange", read);
  };
}
