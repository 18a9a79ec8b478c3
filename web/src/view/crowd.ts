/** A map so full that its dots are added up instead of drawn one by one. */
import type { MapState } from "./map_state";
import { dotsOf } from "./point_style";
import { type Onto, Raster } from "./raster";

export class Crowd {
  private readonly raster = new Raster();

  /** The dots of the frame as a picture, a pixel of CSS each, or null where the map is not crowded. */
  draw(state: MapState, hasContours: boolean): ImageData | null {
    const { view, size, coordinates, paint, mask, selection } = state;
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
    const dots = { coordinates, paint, mask };
    raster.add({ ...dots, diameter, opacity: opacity * dim }, onto, stretches);
    if (state.isSelected) {
      const chosen = { rows: selection, from: 0, to: selection.length };
      const style = { diameter: diameter + 1, opacity: Math.max(0.9, opacity) };
      raster.add({ ...dots, ...style }, onto, [chosen]);
    }
    return raster.image;
  }
}
