import { number } from "./origin";

export type TrustLevel = "among" | "between" | "far" | "torn" | "unknown";

/** How far to trust a picture: a sentence with what was measured, and how it was. */
export interface Trust {
  level: TrustLevel;
  /** 1: as near as pictures of the data are to one another, 0: far from all of them. */
  value: number;
  /** To the nearest picture of the data, in usual distances; NaN where there are none. */
  ratio: number;
  sentence: string;
  why: string;
}

/** Distances from pictures of the data to their nearest others, in the latent space; 0 where there are none. */
export interface Spacing {
  median: number;
  /** 95 in 100 are nearer than that. */
  wide: number;
}

/** In typical distances, so that about 95 in 100 points of t-SNE, UMAP and PCA maps are nearer to another. */
export const AMONG = 3;
const FAR = 10;

/**
 * @param distance to the nearest data point, and
 * @param roundTrip to where the vector itself lies: both in typical distances between neighbours
 */
export function judge(distance: number, roundTrip: number): Pick<Trust, "level" | "value"> {
  if (!Number.isFinite(distance + roundTrip)) return { level: "unknown", value: 0 };
  // A torn map misleads whoever points at it; the picture itself lies among the data.
  const worst = Math.max(distance, roundTrip / 2);
  const isTorn = roundTrip / 2 > distance;
  const level = worst <= AMONG ? "among" : distance > FAR ? "far" : isTorn ? "torn" : "between";
  return { level, value: Math.min(Math.max((FAR - worst) / (FAR - AMONG), 0), 1) };
}

/** In which colour to show it: that of the halo on the map. */
export const shadeOf = ({ level, value }: Pick<Trust, "level" | "value">): TrustLevel =>
  level !== "torn" ? level : value > 0 ? "between" : "far";

/** Of the vector of a picture of the data. */
export const ITSELF: Trust = {
  level: "among",
  value: 1,
  ratio: 0,
  sentence: "A picture of the data itself.",
  why: "The vector is what the encoder makes of this picture; what the decoder makes of the vector stands beside the original.",
};

/** Of any vector, by its distance from the nearest picture of the data in the latent space. */
export function trustOfVector(distance: number, { median, wide }: Spacing): Trust {
  if (!(median > 0)) return { ...judge(Number.NaN, 0), ...INCOMPARABLE };
  const { level, value } = judge(onMapScale(distance, { median, wide }), 0);
  const ratio = distance / median;
  return {
    level,
    value,
    ratio,
    sentence: `${WHERE[level]}: ${times(ratio)}.`,
    why:
      `Measured in the latent space: the nearest picture of the data lies ${number(distance)} away. ` +
      `Half of the pictures have another one within ${number(median)}, the usual distance, 95 in 100 within ${number(wide)}. ` +
      CAUTION,
  };
}

/** Of a place of a map whose usual distance is `unit`; all three in units of the map. */
export function trustOfPlace(distance: number, roundTrip: number, unit: number): Trust {
  const { level, value } = judge(distance / unit, roundTrip / unit);
  const ratio = distance / unit;
  return {
    level,
    value,
    ratio,
    sentence:
      level === "torn"
        ? `The map misleads here: the vector belongs elsewhere, ${times(roundTrip / unit)} away.`
        : `${WHERE[level]} on the map: ${times(ratio)}.`,
    why:
      `Measured on the map: the nearest picture of the data lies ${number(distance)} away, and the vector that this ` +
      `place stands for would itself be put ${number(roundTrip)} away from it. Half of the pictures have another one ` +
      `within ${number(unit)}, the usual distance. ${CAUTION}`,
  };
}

const WHERE: Record<TrustLevel, string> = {
  among: "Close to the data",
  between: "Away from the data",
  far: "Far from the data",
  torn: "",
  unknown: "",
};

const CAUTION =
  "Near the data the network decodes what it was trained on. That does not make it a good picture: between two kinds it may be a mix of both.";

const INCOMPARABLE = {
  ratio: Number.NaN,
  sentence: "There is no usual distance between the pictures to compare with.",
  why: "There is one picture only, or most of them have the same vector.",
};

/** "1.2 ×" */
export const multiple = (ratio: number): string => `${number(ratio, ratio < 9.95 ? 1 : 0)} ×`;

const times = (ratio: number): string => `${multiple(ratio)} the usual distance`;

/**
 * A distance in the latent space on the scale that `judge` has for maps: 1 is the median, `AMONG` the wide
 * one. The more neurons, the less distances differ, so that twice the median is little among two and much
 * among ten; hence a power.
 */
export const onMapScale = (distance: number, { median, wide }: Spacing): number =>
  (distance / median) ** (Math.log(AMONG) / Math.log(wide / median));
