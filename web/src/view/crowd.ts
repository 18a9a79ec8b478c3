/** A map so full that its dots are added up instead of drawn one by one. */
import type { MapState } from "./map_state";
import { dotsOf } from "./point_style";
import { type Dots, type Onto, Raster, type Stretch } from "./raster";
import type { Paint } from "./view";

type Points = Omit<Dots, "diameter" | "opacity" | "weight">;

/** Dots that are added up in the time in which one is drawn; carefully. */
const FOR_ONE = 5;

/** Some rows of the map, as the raster takes them. */
interface Gathered extends Points {
  rows: Uint32Array;
  of: { coordinates: Float32Array; paint: Paint; mask: Uint8Array | null };
}

export class Crowd {
  private readonly raster = new Raster();
  private all: Gathered | null = null;
  private chosen: Gathered | null = null;

  /**
   * The dots of the frame as a picture, a pixel of CSS each, or null where the map is not crowded.
   *
   * @param most dots that could be drawn one by one in time: of more than are added up meanwhile, a sample as dense
   */
  draw(state: MapState, hasContours: boolean, most = Infinity): ImageData | null {
    const { view, size, selection } = state;
    const stretches = state.crowd();
    if (!stretches) return null;
    const { raster } = this;
    const [width, height] = [Math.ceil(size.width), Math.ceil(size.height)];
    raster.start(width, height);
    const onto: Onto = {
      scaleX: width / size.width / view.scale,
      offsetX: (size.width / 2 - view.x / view.scale) * (width / size.width),
      scaleY: -height / size.height / view.scale,
      offsetY: (size.height / 2 + view.y / view.scale) * (height / size.height),
    };
    const { diameter, opacity, dim } = dotsOf(state, hasContours);
    this.all = gathered(state, state.cells().items, this.all);
    const n = stretches.reduce((sum, { from, to }) => sum + to - from, 0);
    const share = Math.min(1, (FOR_ONE * most) / n);
    // Any beginning of a cell is a fair sample of it.
    const some = stretches.map(({ from, to }) => ({ from, to: from + share * (to - from) }));
    const style = { diameter, opacity: opacity * dim, weight: 1 / share };
    raster.add({ ...this.all, ...style }, onto, some);
    if (state.isSelected) {
      this.chosen = gathered(state, selection, this.chosen);
      const all: Stretch[] = [{ from: 0, to: selection.length }];
      const own = { diameter: diameter + 1, opacity: Math.max(0.9, opacity) };
      raster.add({ ...this.chosen, ...own }, onto, all);
    }
    return raster.image;
  }
}

/** What is known of the rows, one after the other; only what has changed is gathered anew. */
function gathered(state: MapState, rows: Uint32Array, before: Gathered | null): Gathered {
  const { coordinates, paint, mask } = state;
  const known = before?.rows === rows ? before : null;
  if (known && known.of.paint === paint && known.of.mask === mask)
    if (known.of.coordinates === coordinates) return known;
  const codes = new (paint.codes.BYTES_PER_ELEMENT === 1 ? Uint8Array : Uint16Array)(rows.length);
  return {
    ...{ rows, of: { coordinates, paint, mask }, palette: paint.palette },
    codes: known?.of.paint === paint ? known.codes : gather(paint.codes, rows, codes),
    mask:
      known?.of.mask === mask
        ? known.mask
        : mask && gather(mask, rows, new Uint8Array(rows.length)),
    coordinates:
      known?.of.coordinates === coordinates ? known.coordinates : placesOf(coordinates, rows),
  };
}

function gather<T extends Uint8Array | Uint16Array>(
  from: Uint8Array | Uint16Array,
  rows: Uint32Array,
  to: T,
): T {
  for (let i = 0; i < rows.length; i++) to[i] = from[rows[i]];
  return to;
}

function placesOf(coordinates: Float32Array, rows: Uint32Array): Float32Array {
  const places = new Float32Array(2 * rows.length);
  for (let i = 0; i < rows.length; i++) {
    places[2 * i] = coordinates[2 * rows[i]];
    places[2 * i + 1] = coordinates[2 * rows[i] + 1];
  }
  return places;
}
