import type { WayName } from "../scene/manifest";
import type { Places } from "./places";

/** The way back: from a point of the map to a latent vector, and how far to trust it. */
export interface Back {
  z: Float32Array; // (latentDim)
  /** To the nearest data point, and from the point to where `transform` puts z: in map units. */
  distance: number;
  roundTrip: number;
  /** Row of the nearest data point on the map. */
  nearest: number;
}

export interface LatentMap {
  readonly name: string;
  readonly label: string;
  readonly places: Places;
  /** The default first. */
  readonly inverses: readonly WayName[];
  /** Whether places are a projection of the vectors, so that `transform` is exact and cheap. */
  readonly isLinear: boolean;
  /** Typical distance between neighbours; trust is judged in it. */
  readonly unit: number;
  inverse(x: number, y: number, method: string): Back;
  /** Where new latent vectors (m, latentDim) lie: (m, 2). */
  transform(z: Float32Array, m: number): Float32Array;
}
