/** The scene behind `zscape explore`: a server on this machine. */
import { type DataSource, type Encoded, SceneError } from "./source";

/** `base` is the page's own folder; requests stay there. */
export function httpSource(base: string = document.baseURI): DataSource {
  const aborted = new AbortController();

  async function ask(path: string, body?: Float32Array): Promise<Response> {
    const init: RequestInit = { signal: aborted.signal };
    if (body) {
      init.method = "POST";
      init.body = body as Float32Array<ArrayBuffer>;
      init.headers = { "Content-Type": "application/octet-stream" };
    }
    let response: Response;
    try {
      response = await fetch(new URL(path, base), init);
    } catch {
      throw new SceneError("The server does not answer; is zscape explore still running?");
    }
    if (!response.ok) throw new SceneError(await refusal(path, response));
    return response;
  }

  async function compute(path: string, values: Float32Array, told?: number): Promise<Float32Array> {
    const query = told === undefined ? "" : `?condition=${told}`;
    return toFloatArray(await (await ask(path + query, values)).arrayBuffer());
  }

  return {
    async manifest() {
      const response = await ask("manifest.json");
      try {
        return await response.json();
      } catch {
        throw new SceneError("The server’s manifest is not JSON.");
      }
    },
    bytes: async (name) =>
      new Uint8Array(await (await ask(`blocks/${encodeURIComponent(name)}`)).arrayBuffer()),
    decode: (z, _, told) => compute("decode", z, told),
    encode: async (x, _, told) => halve(await compute("encode", x, told)),
    close: () => aborted.abort(),
  };
}

/** The server says why in a sentence of plain text. */
async function refusal(path: string, response: Response): Promise<string> {
  const isText = response.headers.get("Content-Type")?.startsWith("text/plain");
  const why = isText ? (await response.text()).trim().slice(0, 300) : response.statusText;
  return `The server refused “${path}” (${response.status}): ${why}`;
}

/** The means, then the log-variances. */
function halve(both: Float32Array): Encoded {
  return { mu: both.slice(0, both.length / 2), logvar: both.slice(both.length / 2) };
}

function toFloatArray(buffer: ArrayBuffer): Float32Array {
  if (buffer.byteLength % 4) throw new SceneError("The server’s answer is cut short.");
  return new Float32Array(buffer);
}
