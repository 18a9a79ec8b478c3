import { WAYS } from "../scene/manifest";
import type { FilterSpec } from "../scene/source";
import {
  followVectors,
  goTo,
  lookAt,
  openTab,
  setColor,
  setFilters,
  setMap,
  setTold,
  setWay,
  takeTool,
} from "./actions";
import { giveSelections } from "./actions_selection";
import { watch } from "./cell";
import type { Explorer } from "./explorer";
import { hiddenOf, readFilters, withFilter, writeFilters } from "./filters";
import { type Along, MAX_STOPS, rowsOf } from "./path";
import { writeSelections } from "./selections";

/** What a link restores. All of it is text that anyone may have written. */
export interface Address {
  map?: string;
  view?: [number, number, number];
  color?: string;
  /** What is decoded, by name. */
  as?: string;
  z?: number[];
  row?: number;
  path?: { along: Exclude<Along, "map">; vectors: number[][] };
  mode?: string;
  way?: string;
  tab?: string;
  /** Classes, by number; what else is filtered, by the names of columns. */
  hidden?: number[];
  filter?: FilterSpec;
}

const ALONG = ["given", "line", "slerp"];

/** Few digits, and no "1e-7" or "-0". */
const short = (value: number, digits = 4): string => String(Number(value.toPrecision(digits)) || 0);
const list = (values: ArrayLike<number>): string =>
  Array.from(values, (value) => String(Number(value.toFixed(4)) || 0)).join("~");

export function writeAddress(address: Address): string {
  const parts: string[] = [];
  const put = (key: string, value: string | undefined): void => {
    if (value) parts.push(`${key}=${encodeURIComponent(value).replaceAll("%2C", ",")}`);
  };
  put("map", address.map);
  put("view", address.view?.map((value) => short(value, 6)).join("~"));
  put("color", address.color);
  put("as", address.as);
  put("way", address.way);
  put("mode", address.mode);
  put("tab", address.tab);
  put("hide", address.hidden?.join("~"));
  put("filter", address.filter && JSON.stringify(address.filter));
  put("row", address.row?.toString());
  put("z", address.z && list(address.z));
  put("path", address.path && [address.path.along, ...address.path.vectors.map(list)].join("!"));
  return parts.join("&");
}

function numbers(text: string | null, n?: number): number[] | undefined {
  if (!text || text.length > 1e6) return undefined;
  const values = text.split("~").map(Number);
  return values.every(Number.isFinite) && (n === undefined || values.length === n)
    ? values
    : undefined;
}

function json(text: string | null): unknown {
  if (!text || text.length > 1e6) return undefined;
  try {
    return JSON.parse(text) ?? undefined;
  } catch {
    return undefined;
  }
}

const oneOf = <T extends string>(text: string | null, allowed: string[]): T | undefined =>
  text !== null && allowed.includes(text) ? (text as T) : undefined;

/** Reads a hash; leaves out whatever it cannot use. @param dim of the latent space */
export function readAddress(hash: string, dim: number): Address {
  let query: URLSearchParams;
  try {
    query = new URLSearchParams(hash.replace(/^#/, ""));
  } catch {
    return {};
  }
  const [said, ...stops] = (query.get("path") ?? "").split("!");
  const along = said === "map" ? "given" : said; // as older links have it
  const vectors = stops.map((stop) => numbers(stop, dim));
  const isPath = ALONG.includes(along) && vectors.length > 1 && vectors.length <= MAX_STOPS;
  const row = numbers(query.get("row"), 1)?.[0];
  const view = numbers(query.get("view"), 3) as [number, number, number] | undefined;
  const address: { [K in keyof Address]: Address[K] | undefined } = {
    map: query.get("map") ?? undefined,
    view: view && view[2] > 0 ? view : undefined,
    color: query.get("color") ?? undefined,
    as: query.get("as") ?? undefined,
    z: numbers(query.get("z"), dim),
    row: Number.isInteger(row) && row! >= 0 ? row : undefined,
    path:
      isPath && vectors.every(Boolean)
        ? { along: along as "given", vectors: vectors as number[][] }
        : undefined,
    mode: query.get("mode") ?? undefined,
    way: oneOf(query.get("way"), Object.keys(WAYS)),
    tab: query.get("tab") ?? undefined,
    hidden: numbers(query.get("hide")),
    filter: json(query.get("filter")) as FilterSpec | undefined,
  };
  return Object.fromEntries(Object.entries(address).filter(([, value]) => value !== undefined));
}

export function addressOf(explorer: Explorer): Address {
  const { map, color, told, tool, way, tab, filters, view, current, path } = explorer;
  const { z, origin } = current.value;
  const address: Address = { map: map.value, color: color.value, mode: tool.value, tab: tab.value };
  if (view.value) address.view = [view.value.x, view.value.y, view.value.scale];
  const as = explorer.manifest.condition?.names[told.value];
  if (as !== undefined) address.as = as;
  if (way.value) address.way = way.value;
  const hidden = hiddenOf(filters.value, "class");
  if (hidden.size) address.hidden = [...hidden];
  const { class: _, ...others } = writeFilters(explorer);
  if (Object.keys(others).length) address.filter = others;
  if (origin.kind === "row") address.row = origin.row;
  else address.z = [...z];
  if (path.value) {
    const { vectors, n, along } = path.value;
    // A link keeps the stops, not the line they were drawn along.
    address.path = { along: along === "map" ? "given" : along, vectors: rowsOf(vectors, n) };
  }
  return address;
}

export function applyAddress(explorer: Explorer, address: Address): void {
  const { dim, mu, n } = explorer;
  if (address.map) setMap(explorer, address.map);
  if (address.color) setColor(explorer, address.color, false);
  const { names = [] } = explorer.manifest.condition ?? {};
  if (address.as !== undefined) setTold(explorer, names.indexOf(address.as), false);
  if (address.way) setWay(explorer, address.way);
  if (address.mode) takeTool(explorer, address.mode);
  if (address.tab) openTab(explorer, address.tab);
  const filters = readFilters(explorer.facets, address.filter);
  const hidden = { hidden: new Set(explorer.labels ? address.hidden : []) };
  setFilters(explorer, withFilter(filters, "class", hidden), false);
  if (address.view)
    lookAt(explorer, { x: address.view[0], y: address.view[1], scale: address.view[2] });
  if (address.row !== undefined && address.row < n) {
    goTo(explorer, {
      z: mu.slice(address.row * dim, (address.row + 1) * dim),
      origin: { kind: "row", row: address.row },
    });
  } else if (address.z) {
    goTo(explorer, { z: Float32Array.from(address.z), origin: { kind: "given" } });
  }
  if (address.path) {
    const { vectors, along } = address.path;
    followVectors(explorer, Float32Array.from(vectors.flat()), vectors.length, along);
  }
}

/** In the browser's own memory of this page: too much for a link. */
const KEPT = "zscape selections";

/** What was kept before the page was loaded anew. */
export function recallSelections(explorer: Explorer): void {
  const kept: unknown = (history.state as Record<string, unknown> | null)?.[KEPT];
  if (typeof kept === "object" && kept) giveSelections(explorer, kept as Record<string, number[]>);
}

/** Keeps the page's address true, and follows it when a person changes it. Returns the end of it. */
export function followAddress(explorer: Explorer): () => void {
  const { map, view, color, told, tool, way, tab, filters, current, path, selections } = explorer;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const write = (): void => {
    const hash = `#${writeAddress(addressOf(explorer))}`;
    try {
      const kept = { [KEPT]: writeSelections(explorer.selections.value) };
      history.replaceState({ ...(history.state as object | null), ...kept }, "", hash);
    } catch {
      // Some browsers refuse this for files; the page works without.
    }
  };
  const stop = watch(
    [map, view, color, told, tool, way, tab, filters, current, path, selections],
    () => {
      clearTimeout(timer);
      timer = setTimeout(write, 250); // browsers refuse more than a hundred in half a minute
    },
  );
  const read = (): void => applyAddress(explorer, readAddress(location.hash, explorer.dim));
  addEventListener("hashchange", read);
  return () => {
    clearTimeout(timer);
    stop();
    removeEventListener("hashchange", read);
  };
}
