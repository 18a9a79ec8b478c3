/** Who is near whom in the latent space, and the shortest way from one to another over them. */
import { nearestInLatent } from "./nearest";

const N_NEIGHBOURS = 10;
/** Of more points every second, third … is a node: the graph of all of a hundred thousand would take minutes. */
export const MOST_NODES = 10_000;

/** Every node is linked with its nearest ones, and with those it is nearest to. */
export interface NeighbourGraph {
  readonly mu: Float32Array; // (m, d)
  readonly d: number;
  /** Links of node i: those from `starts[i]` up to `starts[i + 1]`. */
  readonly starts: Uint32Array;
  readonly ends: Uint32Array;
  readonly lengths: Float32Array;
}

/** Makes a graph a few nodes at a time. */
export class GraphMaker {
  private readonly mu: Float32Array;
  private readonly links: [to: number, length: number][][];

  /** @param mu (n, d) */
  constructor(
    mu: Float32Array,
    private readonly d: number,
  ) {
    const n = mu.length / d;
    const step = Math.ceil(n / MOST_NODES);
    const m = Math.ceil(n / step);
    this.mu = step === 1 ? mu : new Float32Array(m * d);
    if (step > 1)
      for (let i = 0; i < m; i++) this.mu.set(mu.subarray(i * step * d, (i * step + 1) * d), i * d);
    this.links = Array.from({ length: m }, () => []);
  }

  get size(): number {
    return this.links.length;
  }

  /** Links `n` nodes from `first` on. */
  link(first: number, n: number): void {
    const { mu, d, links } = this;
    for (let i = first; i < first + n; i++) {
      const z = mu.subarray(i * d, (i + 1) * d);
      const { rows, distances } = nearestInLatent(mu, d, z, N_NEIGHBOURS + 1);
      rows.forEach((row, k) => {
        if (row === i) return;
        links[i]!.push([row, distances[k]!]);
        links[row]!.push([i, distances[k]!]); // twice where both are near each other, which does no harm
      });
    }
  }

  made(): NeighbourGraph {
    const { mu, d, links } = this;
    const starts = new Uint32Array(links.length + 1);
    links.forEach((own, i) => {
      starts[i + 1] = starts[i]! + own.length;
    });
    const all = links.flat();
    return {
      ...{ mu, d, starts },
      ends: Uint32Array.from(all, ([to]) => to),
      lengths: Float32Array.from(all, ([, length]) => length),
    };
  }
}

/**
 * The shortest way from one vector to another over pictures that are neighbours: the vectors of all on it, without the
 * two ends. Null where no chain of neighbours joins them.
 *
 * Dijkstra 1959; the graph is that of Isomap (Tenenbaum, de Silva & Langford 2000).
 */
export function shortestWay(
  graph: NeighbourGraph,
  from: Float32Array,
  to: Float32Array,
): Float32Array[] | null {
  const { mu, d, starts, ends, lengths } = graph;
  const nodeOf = (z: Float32Array): number => nearestInLatent(mu, d, z, 1).rows[0]!;
  const [first, last] = [nodeOf(from), nodeOf(to)];
  const m = starts.length - 1;
  const distance = new Float64Array(m).fill(Infinity);
  const before = new Int32Array(m).fill(-1);
  const heap = new Heap();
  distance[first] = 0;
  heap.push(first, 0);
  for (let node = heap.pop(distance); node >= 0 && node !== last; node = heap.pop(distance)) {
    for (let link = starts[node]!; link < starts[node + 1]!; link++) {
      const next = ends[link]!;
      const sum = distance[node]! + lengths[link]!;
      if (sum >= distance[next]!) continue;
      distance[next] = sum;
      before[next] = node;
      heap.push(next, sum);
    }
  }
  if (distance[last] === Infinity) return null;
  const way: Float32Array[] = [];
  for (let node = last; node >= 0; node = before[node]!)
    way.push(mu.subarray(node * d, (node + 1) * d));
  return way.reverse();
}

/** Nodes by distance, the nearest first. */
class Heap {
  private readonly items: [node: number, distance: number][] = [];

  push(node: number, distance: number): void {
    const { items } = this;
    let at = items.push([node, distance]) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (items[parent]![1] <= distance) break;
      items[at] = items[parent]!;
      at = parent;
    }
    items[at] = [node, distance];
  }

  /** The nearest that has not been reached on a shorter way since; -1: there is none. */
  pop(known: Float64Array): number {
    for (;;) {
      const top = this.take();
      if (!top) return -1;
      if (top[1] <= known[top[0]]!) return top[0];
    }
  }

  private take(): [number, number] | undefined {
    const { items } = this;
    const top = items[0];
    const moved = items.pop();
    if (!top || !moved || !items.length) return top;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= items.length) break;
      if (child + 1 < items.length && items[child + 1]![1] < items[child]![1]) child++;
      if (items[child]![1] >= moved[1]) break;
      items[at] = items[child]!;
      at = child;
    }
    items[at] = moved;
    return top;
  }
}
