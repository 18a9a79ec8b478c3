/** Dates without a zone, as milliseconds since 1970: names of them, and round ones between two. */

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const MONTH = 30.44 * DAY;
const YEAR = 365.25 * DAY;

/** What a date is told to: the shorter the unit, the longer the name. */
export type Unit = "year" | "month" | "day" | "minute" | "second" | "millisecond";

const LENGTH: Record<Unit, number> = {
  year: 4,
  month: 7,
  day: 10,
  minute: 16,
  second: 19,
  millisecond: 23,
};

export function dateText(time: number, unit: Unit): string {
  if (!(Math.abs(time) <= 8.64e15)) return "";
  const text = new Date(time).toISOString().slice(0, -1); // without its "Z"
  const start = text.indexOf("-", 1) - 4; // years beyond 9999 have two more digits, and a sign
  return text.slice(0, start + LENGTH[unit]).replace("T", " ");
}

/** The reverse, of any part of "2024-03-05 12:30:00"; NaN: no date. */
export function dateOf(text: string): number {
  const plain = text.trim().replace(" ", "T").replace(/Z$/, "");
  if (!/^[+-]?\d{4}/.test(plain)) return Number.NaN;
  return Date.parse(plain.includes("T") ? `${plain}Z` : plain); // a date without a time is UTC by itself
}

/** The coarsest unit in which no value loses anything. */
export function unitOf(values: ArrayLike<number>): Unit {
  let unit: Unit = "day";
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (Number.isNaN(value) || value % DAY === 0) continue;
    if (value % SECOND) return "millisecond";
    if (value % MINUTE) unit = "second";
    else if (unit === "day") unit = "minute";
  }
  return unit;
}

const STEPS: readonly [ms: number, unit: Unit][] = [
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500].map((k): [number, Unit] => [k, "millisecond"]),
  ...[1, 2, 5, 15, 30].map((k): [number, Unit] => [k * SECOND, "second"]),
  ...[1, 2, 5, 15, 30].map((k): [number, Unit] => [k * MINUTE, "minute"]),
  ...[1, 3, 6, 12].map((k): [number, Unit] => [k * HOUR, "minute"]),
  ...[1, 2, 4, 7, 14].map((k): [number, Unit] => [k * DAY, "day"]),
];
const MONTHS = [1, 2, 3, 6, 12, 24, 60, 120, 240, 600, 1200, 2400, 6000, 12_000];
/** A Monday, at which weeks begin. */
const MONDAY = 4 * DAY;

/** Round dates from the last one before `low` to the first after `high`, about `wanted` of them apart. */
export function dateEdges(
  low: number,
  high: number,
  wanted: number,
): { edges: number[]; unit: Unit } {
  const rough = (high - low) / wanted;
  const [step, unit] = STEPS.find(([ms]) => ms >= rough) ?? [0, "day"];
  if (step) {
    const shift = step % (7 * DAY) === 0 ? MONDAY : 0;
    const first = Math.floor((low - shift) / step);
    const last = Math.floor((high - shift) / step) + 1;
    return {
      edges: Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step + shift),
      unit,
    };
  }
  const months = MONTHS.find((k) => k * MONTH >= rough) ?? Math.ceil(rough / YEAR / 1000) * 12_000;
  const at = (time: number): number => {
    const date = new Date(time);
    return Math.floor((date.getUTCFullYear() * 12 + date.getUTCMonth()) / months);
  };
  const first = at(low);
  const edges = Array.from({ length: at(high) - first + 2 }, (_, i) => {
    const month = (first + i) * months;
    const date = new Date(0);
    date.setUTCFullYear(Math.floor(month / 12), ((month % 12) + 12) % 12);
    return date.getTime();
  });
  return { edges, unit: months % 12 ? "month" : "year" };
}
