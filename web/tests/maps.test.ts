/** Neighbours, places, ways back, walks and drawings: closed forms and brute force. */
import { describe, expect, test } from "vitest";
import { createMap, createPair } from "../src/maps/create_map";
import { nearestInLatent } from "../src/maps/nearest";
import { centreDrawing } from "../src/maps/pad";
import { shepardWeights } from "../src/maps/place";
import { spreadOnMap } from "../src/maps/spread";
import { hasGreatCircle, line, manifold, slerp, traversal } from "../src/maps/walks";
import { loadScene } from "../src/scene/load_scene";
import { type Scene, SceneError } from "../src/scene/source";
import { memorySource, randomNumbers, smallScene } from "./helpers/scenes";

async function sceneOf(n: number, d: number): Promise<Scene> {
  const { manifest, bytes } = smallScene(n, d);
  return loadScene(memorySource(manifest, bytes));
}

test.each([1, 2, 10, 64])("nearest in %i dimensions is what sorting all finds", (d) => {
  const random = randomNumbers(d);
  const mu = Float32Array.from({ length: 200 * d }, random);
  const z = Float32Array.from({ length: d }, random);
  const all = Array.from({ length: 200 }, (_, row) => ({
    row,
    distance: Math.hypot(...Array.from(z, (value, i) => value - mu[row * d + i])),
  })).sort((a, b) => a.distance - b.distance);
  const found = nearestInLatent(mu, d, z, 17);
  expect([...found.rows]).toEqual(all.slice(0, 17).map(({ row }) => row));
  found.distances.forEach((distance, i) => expect(distance).toBeCloseTo(all[i].distance, 9));
  expect(nearestInLatent(mu, d, z, 500).rows.length).toBe(200);
});

test("weights of neighbours: none at the last, all at no distance, equal where all are equally far", () => {
  expect(shepardWeights([1, 2, 3])[2]).toBe(0);
  expect(shepardWeights([0, 2, 3])[0]).toBeCloseTo(1, 5);
  expect([...shepardWeights([2, 2, 2, 2])]).toEqual([0.25, 0.25, 0.25, 0.25]);
  expect([...shepardWeights([0, 0])]).toEqual([0.5, 0.5]);
});

describe("a map", () => {
  test("a fitted point lands on itself, and its own place leads back to it", async () => {
    const scene = await sceneOf(60, 5);
    const map = createMap(scene, scene.manifest.maps[0]);
    const mu = scene.floats("mu");
    for (const row of [0, 17, 59]) {
      const [x, y] = map.places.coordinates.subarray(2 * row, 2 * row + 2);
      const place = map.transform(mu.slice(row * 5, row * 5 + 5), 1);
      expect(place[0]).toBeCloseTo(x, 3);
      expect(place[1]).toBeCloseTo(y, 3);
      const back = map.inverse(x, y, "nearest");
      expect([...back.z]).toEqual([...mu.slice(row * 5, row * 5 + 5)]);
      expect([back.nearest, back.distance]).toEqual([row, 0]);
      expect(back.roundTrip).toBeLessThan(1e-2);
    }
  });

  test("local reads off a plane exactly where the latents are one", async () => {
    const scene = await sceneOf(80, 3);
    const spec = scene.manifest.maps[0];
    const places = scene.floats("map");
    const mu = scene.floats("mu");
    for (let row = 0; row < 80; row++)
      mu.set([places[2 * row], 2 * places[2 * row + 1] + 1, 3], row * 3);
    const z = createMap(scene, spec).inverse(0.1, -0.2, "local").z;
    // The ridge holds the plane's slope back a little.
    expect(z[0]).toBeCloseTo(0.1, 1);
    expect(z[1]).toBeCloseTo(0.6, 1);
    expect(z[2]).toBeCloseTo(3, 5);
  });

  test.each([
    [1, 1],
    [2, 1],
    [3, 2],
    [30, 64],
  ])("%i points of %i neurons have ways back", async (n, d) => {
    const scene = await sceneOf(n, d);
    const map = createMap(scene, scene.manifest.maps[0]);
    for (const method of map.inverses) {
      const { z, distance, roundTrip } = map.inverse(0.3, -0.4, method);
      expect(z.length).toBe(d);
      expect([...z, distance, roundTrip].every(Number.isFinite)).toBe(true);
    }
  });

  test("points near a place and inside a polygon are those that comparing all finds", async () => {
    const scene = await sceneOf(200, 2);
    const map = createMap(scene, scene.manifest.maps[0]);
    const places = Array.from({ length: 200 }, (_, row) => ({
      row,
      x: map.places.coordinates[2 * row],
      y: map.places.coordinates[2 * row + 1],
    }));
    const near = places
      .map(({ row, x, y }) => ({ row, distance: Math.hypot(x - 0.2, y) }))
      .filter(({ distance }) => distance <= 0.5)
      .sort((a, b) => a.distance - b.distance);
    expect(map.places.nearest(0.2, 0, 1000, 0.5)).toEqual(near.map(({ row }) => row));
    expect(map.places.nearest(0.2, 0, 3, 0.5)).toEqual(near.slice(0, 3).map(({ row }) => row));
    const triangle = Float32Array.of(-1, -1, 1, -1, -1, 1);
    const inside = places.filter(({ x, y }) => x > -1 && y > -1 && x + y < 0).map(({ row }) => row);
    expect(inside.length).toBeGreaterThan(10);
    expect(map.places.inside(triangle)).toEqual(inside);
    expect(map.places.inside(new Float32Array())).toEqual([]);
  });

  test("an unknown way back is refused", async () => {
    const scene = await sceneOf(10, 2);
    const map = createMap(scene, scene.manifest.maps[0]);
    expect(() => map.inverse(0, 0, "exact")).toThrow("must be one of local, nearest; got exact");
  });
});

describe("a pair", () => {
  test("coordinates are the neurons, the others stay at their mean, and the way back is exact", async () => {
    const scene = await sceneOf(40, 4);
    scene.manifest.neurons[2].mean = 0.25;
    const map = createPair(scene, 3, 1);
    const mu = scene.floats("mu");
    expect(map.name).toBe("z3,z1");
    expect([...map.places.coordinates.slice(0, 2)]).toEqual([mu[3], mu[1]]);
    const back = map.inverse(1.5, -0.5, "exact");
    expect([...back.z]).toEqual([0, -0.5, 0.25, 1.5]);
    expect(back.roundTrip).toBe(0);
    expect([...map.transform(Float32Array.of(1, 2, 3, 4), 1)]).toEqual([4, 2]);
    expect(map.unit).toBeGreaterThan(0);
  });

  test.each([
    [0, 0],
    [0, 4],
    [-1, 2],
    [0.5, 1],
    [NaN, 1],
  ])("%f and %f are none", async (first, second) => {
    const scene = await sceneOf(10, 4);
    expect(() => createPair(scene, first, second)).toThrow(SceneError);
  });

  test("where all points are one, the unit is still a length", async () => {
    const scene = await sceneOf(5, 2);
    scene.floats("mu").fill(1);
    expect(createPair(scene, 0, 1).unit).toBe(1);
  });
});

describe("spread", () => {
  test("on a linear map it is the covariance of the two neurons", async () => {
    const map = createPair(await sceneOf(40, 4), 3, 1);
    const cov = spreadOnMap(map, [1, 2, 3, 4], [0.1, 0.2, 0.3, 0.4]);
    [0.4, 0, 0.2].forEach((value, i) => expect(cov[i]).toBeCloseTo(value, 5));
  });

  test("on another map it grows with the variance and is the same every time", async () => {
    const scene = await sceneOf(300, 2);
    const mu = scene.floats("mu");
    scene.floats("map").set(mu); // the map is the space itself
    const map = createMap(scene, scene.manifest.maps[0]);
    const [xx, xy, yy] = spreadOnMap(map, [0, 0], [0.09, 0.01]);
    expect(xx).toBeGreaterThan(0.04);
    expect(xx).toBeLessThan(0.2);
    expect(yy).toBeLessThan(xx);
    expect(Math.abs(xy)).toBeLessThan(0.03);
    expect(spreadOnMap(map, [0, 0], [0.09, 0.01])).toEqual([xx, xy, yy]);
  });
});

describe("walks", () => {
  test("a line has its ends and its middle", () => {
    expect([...line([0, 2], [4, -2], 3)]).toEqual([0, 2, 2, 0, 4, -2]);
    expect([...line([1, 2], [3, 4], 1)]).toEqual([1, 2]);
  });

  test("a great circle turns evenly, and its length goes evenly", () => {
    const quarter = slerp([2, 0], [0, 4], 3);
    expect([...quarter.slice(0, 2)]).toEqual([2, 0]);
    expect([...quarter.slice(4)]).toEqual([0, 4]);
    expect(quarter[2]).toBeCloseTo(3 * Math.SQRT1_2, 6);
    expect(quarter[3]).toBeCloseTo(3 * Math.SQRT1_2, 6);
    expect([...slerp([1, 1], [3, 3], 3)].map((value) => Math.round(value * 1e6) / 1e6)).toEqual([
      1, 1, 2, 2, 3, 3,
    ]);
    expect([...slerp([0, 0], [2, 2], 2)]).toEqual([0, 0, 2, 2]);
  });

  test("opposite directions have no one great circle", () => {
    expect(hasGreatCircle([1, 0], [-2, 0])).toBe(false);
    expect(hasGreatCircle([1, 0], [-2, 0.1])).toBe(true);
    expect(() => slerp([1, 0], [-2, 0], 5)).toThrow("opposite directions");
  });

  test("a traversal changes one neuron a row, a manifold grows to the right and upwards", () => {
    expect([...traversal([7, 8, 9], [2, 0], [-1, 1])]).toEqual([
      7, 8, -1, 7, 8, 1, -1, 8, 9, 1, 8, 9,
    ]);
    expect([...manifold([7, 8, 9], [0, 2], [1, 0], [5, 6])]).toEqual([
      0, 8, 6, 1, 8, 6, 0, 8, 5, 1, 8, 5,
    ]);
  });
});

describe("a drawing", () => {
  function stroke(
    width: number,
    height: number,
    box: [number, number, number, number],
  ): Float32Array {
    const ink = new Float32Array(width * height);
    for (let y = box[1]; y < box[3]; y++) ink.fill(1, y * width + box[0], y * width + box[2]);
    return ink;
  }

  test("a tall bar anywhere becomes 20 pixels high in the middle", () => {
    const picture = centreDrawing(stroke(280, 280, [10, 30, 30, 130]), 280, 280, 28, 28);
    const rows = Array.from({ length: 28 }, (_, y) => picture.slice(y * 28, y * 28 + 28));
    const inked = rows.map((row) => row.reduce((sum, value) => sum + value, 0));
    // 20 × 100 pixels of ink become 4 × 20.
    inked.forEach((sum, y) => expect(sum).toBeCloseTo(y >= 4 && y < 24 ? 4 : 0, 4));
    expect([...rows[14].slice(11, 17)].map((value) => Math.round(value * 1e4) / 1e4)).toEqual([
      0, 1, 1, 1, 1, 0,
    ]);
  });

  test("its centre of mass is in the middle, its box as long as the inner one, in any size", () => {
    const ink = stroke(200, 100, [20, 10, 120, 20]);
    stroke(200, 100, [20, 20, 30, 50]).forEach((value, i) => (ink[i] = Math.max(ink[i], value)));
    const [width, height] = [64, 48];
    const picture = centreDrawing(ink, 200, 100, height, width);
    let [mass, x, y] = [0, 0, 0];
    picture.forEach((value, i) => {
      mass += value;
      x += value * ((i % width) + 0.5);
      y += value * (Math.floor(i / width) + 0.5);
    });
    // Where in its pixel a share of ink lay is lost.
    expect(x / mass).toBeCloseTo(width / 2, 1);
    expect(y / mass).toBeCloseTo(height / 2, 1);
    const scale = Math.min((width * 20) / 28 / 100, (height * 20) / 28 / 40);
    expect(mass).toBeCloseTo(1300 * scale * scale, 1);
    expect(Math.max(...picture)).toBeLessThanOrEqual(1);
  });

  test("nothing drawn is an empty picture", () => {
    expect(centreDrawing(new Float32Array(100), 10, 10, 4, 4)).toEqual(new Float32Array(16));
  });
});
