/** The maps of a scene, with the same numbers as Python's. */
import type { MapSpec, WayName } from "../scene/manifest";
import { type Scene, SceneError } from "../scene/source";
import type { Box } from "./box";
import type { Back, LatentMap } from "./inverse";
import { createLearned } from "./learned_way";
import { local, localCount } from "./local_way";
import { place } from "./place";
import { Places } from "./places";
import { createScaling, type Linear, lift, project, type Scaling } from "./projection";

/** Below this share of the map's width two places are one. */
const BLUR = 1e-4;

/** What a map is made of, however it came about. */
interface Ingredients {
  name: string;
  label: string;
  coordinates: Float32Array;
  frame?: Box | undefined;
  inverses: readonly WayName[];
  unit: number | null;
  linear: Linear | null;
  scaling: Scaling;
  learned: MapSpec["learned"];
}

type Way = (x: number, y: number) => Float32Array;

/** A map that the scene holds. Indexes and ways back are made when first used. */
export function createMap(scene: Scene, spec: MapSpec, frame?: Box): LatentMap {
  const { name, label, inverses, unit, linear, standardize, learned } = spec;
  return createFrom(scene, {
    name,
    label,
    coordinates: scene.floats(spec.coordinates),
    frame,
    inverses,
    unit,
    linear: linear
      ? { axes: scene.floats(linear.axes), centre: scene.floats(linear.centre) }
      : null,
    scaling: createScaling(scene, standardize),
    learned,
  });
}

/**
 * The map of two neurons as they are, the first to the right, the second upwards.
 *
 * @throws SceneError if they are not two different neurons of the model.
 */
export function createPair(scene: Scene, first: number, second: number): LatentMap {
  const { latentDim: d, neurons, points } = scene.manifest;
  const isNeuron = (i: number): boolean => Number.isInteger(i) && i >= 0 && i < d;
  if (!isNeuron(first) || !isNeuron(second) || first === second) {
    throw new SceneError(
      `A pair needs two different latent neurons in [0, ${d - 1}]; got ${first} and ${second}.`,
    );
  }
  const mu = scene.floats(points.mu);
  const coordinates = new Float32Array(points.n * 2);
  for (let row = 0; row < points.n; row++) {
    coordinates[2 * row] = mu[row * d + first];
    coordinates[2 * row + 1] = mu[row * d + second];
  }
  const axes = new Float64Array(2 * d);
  axes[first] = axes[d + second] = 1;
  return createFrom(scene, {
    name: `z${first},z${second}`,
    label: `${neurons[first].name} × ${neurons[second].name}`,
    coordinates,
    // A pair says nothing of the other neurons; to leave them at their mean is the plain answer.
    inverses: ["exact", "local", "nearest"],
    unit: null,
    linear: { axes, centre: new Float64Array(d) },
    scaling: createScaling(scene, undefined),
    learned: undefined,
  });
}

function createFrom(scene: Scene, of: Ingredients): LatentMap {
  const { coordinates, linear, scaling } = of;
  const { latentDim: d, points } = scene.manifest;
  const mu = scene.floats(points.mu);
  const places = new Places(coordinates, of.frame);
  const ways = createWays(scene, of, places, mu);
  let { unit } = of;
  let x: Float32Array | null = null;
  let blur = 0;

  function transform(z: Float32Array, m: number): Float32Array {
    const queries = scaling.scale(z);
    const answer = new Float32Array(2 * m);
    if (!linear && !x) {
      x = scaling.scale(mu);
      const { x0, y0, x1, y1 } = places.bounds;
      blur = BLUR * Math.max(x1 - x0, y1 - y0);
    }
    for (let i = 0; i < m; i++) {
      const at = linear
        ? project(linear, queries, i * d)
        : place(x as Float32Array, d, coordinates, blur, queries.subarray(i * d, (i + 1) * d));
      answer.set(at, 2 * i);
    }
    return answer;
  }

  function inverse(atX: number, atY: number, method: string): Back {
    const way = ways.get(method);
    if (!way)
      throw new RangeError(
        `way back must be one of ${[...ways.keys()].join(", ")}; got ${method}.`,
      );
    const z = way(atX, atY);
    const [nearest] = places.nearest(atX, atY, 1);
    const [backX, backY] = transform(z, 1);
    return {
      z,
      nearest,
      distance: places.distance(nearest, atX, atY),
      roundTrip: Math.hypot(backX - atX, backY - atY),
    };
  }

  return {
    name: of.name,
    label: of.label,
    places,
    inverses: of.inverses,
    isLinear: linear !== null,
    get unit() {
      return (unit ??= places.typicalGap());
    },
    inverse,
    transform,
  };
}

function createWays(
  scene: Scene,
  of: Ingredients,
  places: Places,
  mu: Float32Array,
): Map<string, Way> {
  const { coordinates, linear, scaling, learned } = of;
  const { latentDim: d, points, neurons } = scene.manifest;
  const known: Record<WayName, () => Way> = {
    nearest: () => (x, y) => {
      const [row] = places.nearest(x, y, 1);
      return mu.slice(row * d, (row + 1) * d);
    },
    local: () => {
      const count = localCount(points.n);
      return (x, y) => local(coordinates, mu, d, places.nearest(x, y, count), x, y);
    },
    exact: () => {
      // The manifest's means are of the data as it was encoded; `mu` may have been rounded.
      const mean = scaling.scale(Float32Array.from(neurons, (neuron) => neuron.mean));
      return (x, y) => scaling.unscale(lift(linear as Linear, mean, x, y));
    },
    learned: () => createLearned(scene, learned as NonNullable<typeof learned>),
  };
  const ways = new Map<string, Way>();
  for (const name of of.inverses) {
    let way: Way | null = null;
    ways.set(name, (x, y) => (way ??= known[name]())(x, y));
  }
  return ways;
}
