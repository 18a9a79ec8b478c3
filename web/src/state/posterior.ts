/** How sure the encoder is of the current vector: of any, not of drawings only. */
import { seePosterior } from "./actions";
import { watch } from "./cell";
import { whenReady } from "./decoder";
import type { Explorer } from "./explorer";
import type { Thumbnails } from "./thumbnails";

const REST_MS = 60;

/**
 * Asks the encoder, while a person wants to know, whenever the current vector has come to rest: of a picture of the
 * data by the picture itself, of any other vector by what the decoder makes of it. Returns the end of it.
 */
export function followPosterior(explorer: Explorer, thumbnails: Thumbnails): () => void {
  const { current, picture, hasPosterior, decoder } = explorer;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const ask = (): void => {
    const of = current.value;
    if (!hasPosterior.value || !decoder.value?.canEncode || explorer.posterior.value?.of === of)
      return;
    const { origin } = of;
    if (origin.kind === "drawn" && origin.variances)
      return seePosterior(explorer, { of, variances: origin.variances });
    const isWhole = origin.kind === "row" && !thumbnails.note;
    const pixels = isWhole ? thumbnails.pixels(origin.row) : picture.value;
    if (!pixels) return;
    const own = isWhole ? explorer.codes?.[origin.row] : undefined;
    const none = (): void => undefined; // what cannot be had is not shown
    whenReady(
      pixels,
      (ready) => {
        if (of !== current.value || !decoder.value?.canEncode) return;
        whenReady(
          decoder.value.encode(ready, 1, own),
          ({ logvar }) => {
            if (of === current.value)
              seePosterior(explorer, { of, variances: logvar.map(Math.exp) });
          },
          none,
        );
      },
      none,
    );
  };
  const stop = watch([current, picture, hasPosterior, decoder], () => {
    clearTimeout(timer);
    timer = setTimeout(ask, REST_MS);
  });
  return () => {
    clearTimeout(timer);
    stop();
  };
}
