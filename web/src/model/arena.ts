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
  private end = 0;

  get length(): number {
    return this.end;
  }

  /** Gives `times` its length to a region that has grown to what is needed. */
  place(region: Region, times: number): Region {
    region.at = this.end;
    this.end += Math.ceil((region.length * times) / ALIGNMENT) * ALIGNMENT;
    return region;
  }
}

export function grow(region: Region, length: number): Region {
  region.length = Math.max(region.length, length);
  return region;
}
