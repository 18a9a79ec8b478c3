/** Who lies where in the kernels' one memory, decided before it is made. */

/** A stretch of memory; `at` is known once the arena is closed. */
export interface Region {
  at: number;
  /** Floats, of one picture where it is multiplied by a batch. */
  length: number;
}

/** Places are multiples of a vector of four. */
const ALIGNMENT = 4;

export class Arena {
  private readonly constants: { region: Region; fill(to: Float32Array): void }[] = [];
  private end = 0;

  get length(): number {
    return this.end;
  }

  /** Memory that `fill` writes once; the rest of it is 0. */
  constant(length: number, fill: (to: Float32Array) => void): Region {
    const region = { at: 0, length };
    this.constants.push({ region, fill });
    return this.place(region, 1);
  }

  /** Gives `times` its length to a region that has grown to what is needed. */
  place(region: Region, times: number): Region {
    region.at = this.end;
    this.end += Math.ceil((region.length * times) / ALIGNMENT) * ALIGNMENT;
    return region;
  }

  fill(memory: Float32Array): void {
    for (const { region, fill } of this.constants) {
      fill(memory.subarray(region.at, region.at + region.length));
    }
  }
}

export function grow(region: Region, length: number): Region {
  region.length = Math.max(region.length, length);
  return region;
}
