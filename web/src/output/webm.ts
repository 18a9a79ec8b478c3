/** A film by the browser's own recorder. */

const TYPE = "video/webm";
const BITS_PER_SECOND = 4e6;

export const canRecord = (): boolean =>
  typeof MediaRecorder !== "undefined" &&
  MediaRecorder.isTypeSupported(TYPE) &&
  "captureStream" in HTMLCanvasElement.prototype;

/**
 * Records as long as the film is, since recorders go by the clock.
 *
 * @param draw puts frame `i` on the canvas
 */
export async function recordWebm(
  canvas: HTMLCanvasElement,
  nFrames: number,
  frameMs: number,
  draw: (i: number) => void | Promise<void>,
): Promise<Blob> {
  await draw(0);
  const stream = canvas.captureStream();
  const recorder = new MediaRecorder(stream, {
    mimeType: TYPE,
    videoBitsPerSecond: BITS_PER_SECOND,
  });
  const parts: Blob[] = [];
  recorder.addEventListener("dataavailable", ({ data }) => parts.push(data));
  const stopped = new Promise((resolve) => recorder.addEventListener("stop", resolve));
  recorder.start();
  const start = performance.now();
  try {
    for (let i = 0; i < nFrames; i++) {
      await draw(i);
      const until = start + (i + 1) * frameMs - performance.now();
      await new Promise((resolve) => setTimeout(resolve, Math.max(until, 0)));
    }
  } finally {
    recorder.stop();
    for (const track of stream.getTracks()) track.stop();
  }
  await stopped;
  return new Blob(parts, { type: TYPE });
}
