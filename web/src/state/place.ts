/** Where the current vector lies: on the map, and among the pictures of the data. */
import { nearestInLatent } from "../maps/nearest";
import { spreadOnMap } from "../maps/spread";
import type { Explorer, Nearest, Place } from "./explorer";
import { onMapScale } from "./spacing";
import { judge } from "./trust";

/** Typical distances; beyond, the halo would cover the map and say no more. */
const WIDEST_HALO = 30;

export function placeOf(explorer: Explorer): Place {
  const { z, origin } = explorer.current.value;
  const map = explorer.latentMap();
  if (origin.kind === "place" && origin.map === map.name) {
    const trust = judge(origin.distance / map.unit, origin.roundTrip / map.unit);
    const halo = Math.max(origin.distance, origin.roundTrip);
    return { x: origin.x, y: origin.y, halo, trust };
  }
  if (origin.kind === "row") {
    const [x, y] = map.coordinates.subarray(2 * origin.row);
    return { x, y, halo: 0, trust: judge(0, 0) };
  }
  // The map would put any vector among the data; the latent space itself knows better.
  const distance = onMapScale(explorer.nearest.value.distance, explorer.latentSpacing());
  const [x, y] = map.transform(z, 1);
  const halo = map.unit * Math.min(distance, WIDEST_HALO);
  const place = { x, y, halo, trust: judge(distance, 0) };
  return origin.kind === "drawn" && origin.variances
    ? { ...place, spread: spreadOnMap(map, z, origin.variances) }
    : place;
}

export function nearestOf(explorer: Explorer): Nearest {
  const { z, origin } = explorer.current.value;
  if (origin.kind === "row") return { row: origin.row, distance: 0 };
  const { rows, distances } = nearestInLatent(explorer.mu, explorer.dim, z, 1);
  return { row: rows[0]!, distance: distances[0]! };
}
