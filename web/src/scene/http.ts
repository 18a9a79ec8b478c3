/** The scene behind `zscape explore`, a server on this machine; or in a folder, behind any server of files. */
import { type DataSource, type Encoded, type Part, SceneError } from "./source";

const NOT_READ =
  "A browser reads the files of a folder through a server only. Run “python -m http.server” in the folder, and open " +
  "the address that it says.";

/** Without a network behind it: that runs in the page. */
export function folderSource(base: string = document.baseURI): DataSource {
  const { manifest, bytes, close } = httpSource(base, NOT_READ);
  return { manifest, bytes, ...(close ? { close } : {}) };
}

/** `base` is the page's own folder; requests stay there. */
export function httpSource(
  base: string = document.baseURI,
  unheard = "The server does not answer; is zscape explore still running?",
): DataSource {
  const aborted = new AbortController();
  /** Of a server that knows no parts, whole blocks. */
  const whole = new Map<string, Promise<Uint8Array>>();

  async function ask(path: string, body?: Float32Array, part?: Part): Promise<Response> {
    const init: RequestInit = { signal: aborted.signal };
    if (part) init.headers = { Range: `bytes=${part.from}-${part.to - 1}` };
    if (body) {
      init.method = "POST";
      init.body = body as Float32Array<ArrayBuffer>;
      init.headers = { "Content-Type": "application/octet-stream" };
    }
    let response: Response;
    try {
      response = await fetch(new URL(path, base), init);
    } catch {
      throw new SceneError(unheard);
    }
    if (!response.ok) throw new SceneError(await refusal(path, response));
    return response;
  }

  async function compute(path: string, values: Float32Array, told?: number): Promise<Float32Array> {
    const query = told === undefined ? "" : `?condition=${told}`;
    return toFloatArray(await (await ask(path + query, values)).arrayBuffer());
  }

  const bytesOf = async (response: Response): Promise<Uint8Array> =>
    new Uint8Array(await response.arrayBuffer());

  async function bytes(name: string, part?: Part): Promise<Uint8Array> {
    const path = `blocks/${encodeURIComponent(name)}`;
    if (!part) return bytesOf(await ask(path));
    const known = whole.get(name);
    if (known) return (await known).subarray(part.from, part.to);
    const response = await ask(path, undefined, part);
    if (response.status === 206) return bytesOf(response);
    // Others may have asked meanwhile: one answer is kept, and what is left of the rest is not waited for.
    if (whole.has(name)) void response.body?.cancel();
    else whole.set(name, bytesOf(response));
    return bytes(name, part);
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
    bytes,
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
