import { useEffect, useState } from "preact/hooks";
import { say } from "../state/actions";
import { useCell } from "../state/cell";
import { whenReady } from "../state/decoder";
import { usePage } from "./context";

/** Pixels (n, c, h, w) of these vectors (n, latentDim), when they are there; anew when the model is told otherwise. */
export function useDecoded(vectors: Float32Array): Float32Array | null {
  const { explorer } = usePage();
  const decoder = useCell(explorer.decoder);
  const [known, setKnown] = useState<{ vectors: Float32Array; pixels: Float32Array } | null>(null);
  useEffect(() => {
    let isWanted = true;
    if (decoder?.canDecode && vectors.length) {
      whenReady(
        decoder.decode(vectors, vectors.length / explorer.dim),
        (pixels) => isWanted && setKnown({ vectors, pixels }),
        (error) => say(explorer, String((error as Error).message)),
      );
    }
    return () => {
      isWanted = false;
    };
  }, [vectors, decoder]);
  return known?.vectors === vectors ? known.pixels : null;
}
