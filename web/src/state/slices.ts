/** Work of many equal parts, done a few milliseconds at a time so that the page never stands still. */

export interface Slices {
  /** All parts have to be done (again). Those at hand go on where they are. */
  restart(): void;
  stop(): void;
}

const SLICE_MS = 7;

/**
 * @param count parts there are at present
 * @param work does `n` parts from `first` on; may answer later
 * @param batch parts that are cheap to do together
 */
export function createSlices(
  count: () => number,
  work: (first: number, n: number) => void | Promise<void>,
  batch: number,
): Slices {
  let cursor = 0;
  let remaining = 0;
  let isRunning = false;
  const channel = new MessageChannel();

  async function slice(): Promise<void> {
    const end = performance.now() + SLICE_MS;
    while (remaining > 0) {
      const total = count();
      if (cursor >= total) cursor = 0;
      const n = Math.min(batch, total - cursor, remaining);
      if (n <= 0) break;
      const first = cursor;
      cursor += n;
      remaining -= n; // before the work, which may restart
      const done = work(first, n);
      if (done) await done;
      if (performance.now() > end) break;
    }
    if (remaining > 0)
      channel.port2.postMessage(null); // a timeout would wait 4 ms
    else isRunning = false;
  }
  channel.port1.onmessage = () => void slice().catch(() => (isRunning = false));

  return {
    restart() {
      remaining = count();
      if (isRunning) return;
      isRunning = true;
      channel.port2.postMessage(null);
    },
    stop() {
      remaining = 0;
      channel.port1.close();
    },
  };
}

/** Calls `work` when nothing else is to be done, and soon in any case. Returns what forgets it. */
export function whenIdle(work: () => void): () => void {
  if (typeof requestIdleCallback === "undefined") {
    const timer = setTimeout(work, 60);
    return () => clearTimeout(timer);
  }
  const request = requestIdleCallback(work, { timeout: 1500 });
  return () => cancelIdleCallback(request);
}
