/** Where the current vector lies: on the map, and among the pictures of the data. */
import { nearestInLatent } from "../maps/nearest";
import { spreadOnMap } from "../maps/spread";
import type { Explorer, Nearest, Place } from "./explorer";
import type { Path } from "./path";
import { ITSELF, onMapScale, type Trust, trustOfPlace, trustOfVector } from "./trust";

/** Typical distances; beyond, the halo would cover the map and say no more. */
const WIDEST_HALO = 30;

export function placeOf(explorer: Explorer): Place {
  const { z } = explorer.current.value;
  const map = explorer.latentMap();
  const variances = variancesOf(explorer);
  return variances
    ? { ...pointOf(explorer), spread: spreadOnMap(map, z, variances) }
    : pointOf(explorer);
}

function variancesOf({ current, posterior }: Explorer): Float32Array | null {
  const { origin } = current.value;
  if (origin.kind === "drawn" && origin.variances) return origin.variances;
  return posterior.value?.of === current.value ? posterior.value.variances : null;
}

function pointOf(explorer: Explorer): Place {
  const { z, origin } = explorer.current.value;
  const map = explorer.latentMap();
  if (origin.kind === "place" && origin.map === map.name) {
    const trust = trustOfPlace(origin.distance, origin.roundTrip, map.unit);
    const halo = Math.max(origin.distance, origin.roundTrip);
    return { x: origin.x, y: origin.y, halo, trust };
  }
  if (origin.kind === "row") {
    const [x, y] = map.places.coordinates.subarray(2 * origin.row);
    return { x, y, halo: 0, trust: ITSELF };
  }
  // The map would put any vector among the data; the latent space itself knows better.
  const { distance } = explorer.nearest.value;
  const spacing = explorer.latentSpacing();
  const [x, y] = map.transform(z, 1);
  const radius = spacing.median > 0 ? Math.min(onMapScale(distance, spacing), WIDEST_HALO) : 0;
  return { x, y, halo: map.unit * radius, trust: trustOfVector(distance, spacing) };
}

export function nearestOf(explorer: Explorer): Nearest {
  const { z, origin } = explorer.current.value;
  if (origin.kind === "row") return { row: origin.row, distance: 0 };
  const { rows, distances } = nearestInLatent(explorer.mu, explorer.dim, z, 1);
  return { row: rows[0]!, distance: distances[0]! };
}

/** How far to trust each stop of a path. */
export function trustOfStops({ mu, dim, latentSpacing }: Explorer, { vectors, n }: Path): Trust[] {
  return Array.from({ length: n }, (_, i) => {
    const z = vectors.subarray(i * dim, (i + 1) * dim);
    return trustOfVector(nearestInLatent(mu, dim, z, 1).distances[0]!, latentSpacing());
  });
}
