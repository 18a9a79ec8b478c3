import { useLayoutEffect, useRef } from "preact/hooks";
import { BOX, centreDrawing } from "../maps/pad";
import { say, seeSketch, setCurrent, settle, sketch } from "../state/actions";
import { useCell, watch } from "../state/cell";
import { createLatest, type Posterior } from "../state/decoder";
import type { Explorer } from "../state/explorer";
import type { Stroke } from "../state/sketch";
import { usePage } from "./context";
import { Nearest } from "./nearest";
import { createPad, type Pad } from "./pad";
import { asWhat, Picture } from "./picture";

const QUICK = 50_000; // numbers in the table of latents: a few milliseconds

interface Question {
  pixels: Float32Array;
  strokes: readonly Stroke[];
  isDone: boolean;
  /** Drawn just now; not come from a link, whose vector may be another. */
  isNew: boolean;
  told: number;
}

/** Of all moments of a film one is kept with its encoder. */
function noEncoder({ scene: { about } }: Explorer): string {
  const at = about?.list[about.first].label;
  return `This moment is kept without its encoder, so that no drawing can be read here${at ? `; ${at} has one` : ""}.`;
}

export function DrawPanel() {
  const { explorer } = usePage();
  const decoder = useCell(explorer.decoder);
  const canvas = useRef<HTMLCanvasElement>(null);
  const pad = useRef<Pad | null>(null);
  const { seen } = useCell(explorer.sketch);
  const told = useCell(explorer.told);
  const { condition } = explorer.manifest;
  const side = Math.min(...explorer.manifest.imageShape.slice(1));
  const canEncode = decoder?.canEncode ?? true;

  useLayoutEffect(() => {
    if (!canvas.current) return;
    const [channels, height, width] = explorer.manifest.imageShape;
    const ask = createLatest<Question, Posterior>(
      ({ pixels, told }) => explorer.decoder.value!.encode(pixels, 1, condition && told),
      ({ mu, logvar }, { pixels, strokes, isDone, isNew, told }) => {
        if (strokes !== explorer.sketch.value.strokes) return; // they are gone, or there are more
        // The ellipse asks for the neighbours of many vectors: among many points it waits for the end of a stroke.
        const variances = isDone || explorer.mu.length < QUICK ? logvar.map(Math.exp) : null;
        if (isNew) setCurrent(explorer, mu, { kind: "drawn", variances }, false);
        if (!isDone) return;
        seeSketch(explorer, { pixels, told });
        if (isNew) settle(explorer);
      },
      (error) => say(explorer, `The drawing could not be read: ${(error as Error).message}`),
    );
    const { strokes } = explorer.sketch.value;
    let drawn: readonly Stroke[] | null = null;
    const put = (next: readonly Stroke[]) => {
      drawn = next;
      sketch(explorer, next);
    };
    pad.current = createPad(canvas.current, strokes, put, (ink, side, isDone) => {
      if (!explorer.decoder.value) return;
      const plane = centreDrawing(ink, side, side, height, width);
      const pixels = new Float32Array(channels * height * width);
      for (let c = 0; c < channels; c++) pixels.set(plane, c * height * width);
      const { strokes } = explorer.sketch.value;
      ask({ pixels, strokes, isDone, isNew: !isOld, told: explorer.told.value });
    });
    let isOld = false;
    const follow = (): void => {
      const { strokes, seen } = explorer.sketch.value;
      pad.current?.show(strokes);
      isOld = strokes.length > 0 && strokes !== drawn && seen === null;
      if (isOld) pad.current?.ask();
      isOld = false;
    };
    follow();
    const stop = watch([explorer.sketch, explorer.decoder], follow);
    return () => {
      stop();
      pad.current?.destroy();
    };
  }, [canEncode]);

  if (!canEncode) return <p class="zs-hint">{explorer.manifest.why ?? noEncoder(explorer)}</p>;
  return (
    <>
      <p class="zs-hint">
        Draw with mouse, pen or finger. As in MNIST, the drawing is scaled to fit the inner{" "}
        {Math.round(BOX * side)} of {side} pixels and moved so that its centre of mass is in the
        middle, then encoded{asWhat(explorer, told)}
        {condition && `, the ${condition.title} chosen over the map, which the model is told`}.
      </p>
      <div class="zs-buttons">
        <button type="button" onClick={() => pad.current?.clear()}>
          Clear
        </button>
        <button type="button" onClick={() => pad.current?.undo()}>
          Undo stroke
        </button>
      </div>
      <div class="zs-draw">
        <canvas
          ref={canvas}
          class="zs-pad"
          width={280}
          height={280}
          role="img"
          aria-label="Drawing pad"
          data-testid="pad"
        />
        {seen && (
          <figure class="zs-figure zs-seen">
            <Picture
              pixels={seen.pixels}
              look={explorer.look}
              label="The drawing as the model sees it"
            />
            <figcaption>As the model sees it{asWhat(explorer, seen.told)}</figcaption>
          </figure>
        )}
      </div>
      {seen && <Nearest />}
    </>
  );
}
