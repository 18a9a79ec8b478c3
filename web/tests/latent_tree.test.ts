import { describe, expect, it } from "vitest";
import { growTree, searchTree } from "../src/maps/latent_tree";
import { hasTree, nearestInLatent, plant } from "../src/maps/nearest";
import { indexOf, MANY, Places } from "../src/maps/places";
import { randomNumbers } from "./helpers/scenes";

const vectors = (n: number, d: number, seed: number): Float32Array =>
  Float32Array.from({ length: n * d }, randomNumbers(seed));

describe("a tree over latent vectors", () => {
  it.each([
    [1, 3],
    [47, 2],
    [49, 1],
    [5000, 4],
    [3000, 17],
  ])("finds the same neighbours as comparing with all: %i of %i dimensions", (n, d) => {
    const mu = vectors(n, d, n + d);
    const tree = growTree(mu, d)!;
    for (const [seed, spread] of [
      [1, 1],
      [2, 0.1],
      [3, 6],
    ])
      for (const k of [1, 2, 16]) {
        const z = vectors(1, d, seed).map((value) => spread * value);
        const all = nearestInLatent(mu, d, z, k);
        const found = searchTree(tree, mu, d, z, Math.min(k, n));
        expect(found.rows).toEqual(all.rows);
        expect(found.squares.map(Math.sqrt)).toEqual(all.distances);
      }
    const own = searchTree(tree, mu, d, mu.subarray(0, d), 1);
    expect([own.rows[0], own.squares[0]]).toEqual([0, 0]);
  });

  it("takes the lower row of equal ones, however many there are", () => {
    const mu = new Float32Array(3000).fill(2);
    mu[7] = mu[2000] = 1;
    const tree = growTree(mu, 1)!;
    expect([...searchTree(tree, mu, 1, [0], 4).rows]).toEqual([7, 2000, 0, 1]);
    expect([...nearestInLatent(mu, 1, [0], 4).rows]).toEqual([7, 2000, 0, 1]);
  });

  it("looks at few of many points", () => {
    const [n, d] = [20_000, 3];
    const mu = vectors(n, d, 11);
    let nRead = 0;
    const counted = new Proxy(mu, {
      get(of, key) {
        nRead++;
        return Reflect.get(of, key);
      },
    });
    searchTree(growTree(mu, d)!, counted, d, [0.1, 0.2, 0.3], 5);
    expect(nRead).toBeLessThan((n * d) / 20);
  });

  it("is not made of what is not finite", () => {
    expect(growTree(Float32Array.of(1, Number.NaN), 1)).toBeNull();
    expect(growTree(Float32Array.of(1, Infinity), 1)).toBeNull();
  });

  it("answers in the place of comparing once it is planted, but for vectors that are not finite", () => {
    const mu = vectors(500, 2, 4);
    const before = nearestInLatent(mu, 2, [0.3, 0.1], 9);
    const nowhere = nearestInLatent(mu, 2, [Number.NaN, 0], 3);
    plant(mu, growTree(mu, 2)!);
    expect(hasTree(mu)).toBe(true);
    expect(nearestInLatent(mu, 2, [0.3, 0.1], 9)).toEqual(before);
    expect(nearestInLatent(mu, 2, [Number.NaN, 0], 3)).toEqual(nowhere);
    expect(nearestInLatent(mu, 2, [0, 0], 0).rows).toHaveLength(0);
  });
});

it("places take an index that was built elsewhere", () => {
  const coordinates = vectors(400, 2, 9);
  coordinates[11] = Number.NaN;
  const made = indexOf(coordinates)!;
  const [own, other] = [new Places(coordinates), new Places(coordinates)];
  other.adopt(made.tree.data as ArrayBuffer, made.rows);
  expect([own.isQuick, other.isQuick]).toEqual([true, true]);
  const many = new Places(new Float32Array(2 * MANY));
  expect(many.isQuick).toBe(false);
  many.prepare();
  expect(many.isQuick).toBe(true);
  expect(other.nearest(0.1, 0.2, 20)).toEqual(own.nearest(0.1, 0.2, 20));
  expect(indexOf(Float32Array.of(Number.NaN, 1))).toBeNull();
});
