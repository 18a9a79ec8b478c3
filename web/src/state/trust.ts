export type TrustLevel = "among" | "between" | "far" | "torn" | "unknown";

/** How far to trust a picture, and what speaks for it. */
export interface Trust {
  level: TrustLevel;
  /** 1: as good as a picture of the data, 0: not at all. */
  value: number;
  sentence: string;
}

/** In typical distances, so that about 95 in 100 points of t-SNE, UMAP and PCA maps are nearer to another. */
export const AMONG = 3;
const FAR = 10;

const SENTENCES: Record<TrustLevel, string> = {
  among: "Among the data: trust it.",
  between: "Between the data: a guess.",
  far: "Far from all data: do not trust it.",
  torn: "The map is torn here: it belongs elsewhere.",
  unknown: "",
};

/**
 * @param distance to the nearest data point, and
 * @param roundTrip to where the vector itself lies: both in typical distances between neighbours
 */
export function judge(distance: number, roundTrip: number): Trust {
  if (!Number.isFinite(distance + roundTrip)) return { level: "unknown", value: 0, sentence: "" };
  // A torn map misleads whoever points at it; the picture itself lies among the data.
  const worst = Math.max(distance, roundTrip / 2);
  const level =
    worst <= AMONG ? "among" : distance > FAR ? "far" : roundTrip / 2 > FAR ? "torn" : "between";
  const value = Math.min(Math.max((FAR - worst) / (FAR - AMONG), 0), 1);
  return { level, value, sentence: SENTENCES[level] };
}
