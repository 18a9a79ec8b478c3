// @vitest-environment happy-dom
/** The three homes a scene can come from. */
import { afterEach, describe, expect, test, vi } from "vitest";
import { fromBase64 } from "../src/scene/base64";
import { embeddedSource } from "../src/scene/embedded";
import { httpSource } from "../src/scene/http";
import { SceneError } from "../src/scene/source";
import { widgetSource } from "../src/scene/widget";

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

test("base64 with and without the browser's own reader", () => {
  const text = btoa(String.fromCharCode(0, 1, 254, 255, 65));
  expect([...fromBase64(text)]).toEqual([0, 1, 254, 255, 65]);
  const native = vi.fn(() => Uint8Array.of(9));
  vi.stubGlobal("Uint8Array", Object.assign(class extends Uint8Array {}, { fromBase64: native }));
  expect([...fromBase64(text)]).toEqual([9]);
  expect(native).toHaveBeenCalledWith(text);
});

describe("one file", () => {
  test("manifest and blocks lie in script elements", async () => {
    document.body.innerHTML =
      '<script type="application/json" id="zscape-manifest">{"title": "\\u003c/script>"}</script>' +
      '<script type="text/plain" data-zscape-block="a&quot;b">\nAAEC\n</script>';
    const source = embeddedSource(document);
    expect(await source.manifest()).toEqual({ title: "</script>" });
    expect([...(await source.bytes('a"b'))]).toEqual([0, 1, 2]);
    await expect(source.bytes("mu")).rejects.toThrow("the block “mu” is missing");
  });

  test("a file that was cut is refused in a sentence", async () => {
    document.body.innerHTML = '<script type="text/plain" data-zscape-block="mu">AAE*</script>';
    const source = embeddedSource(document);
    await expect(source.manifest()).rejects.toThrow(SceneError);
    await expect(source.bytes("mu")).rejects.toThrow("not base64");
    document.body.innerHTML =
      '<script type="application/json" id="zscape-manifest">{"titl</script>';
    await expect(source.manifest()).rejects.toThrow("not JSON");
  });
});

describe("the server", () => {
  const base = "http://127.0.0.1:8000/";

  test("blocks, and decoding far away", async () => {
    const asked: [string, RequestInit][] = [];
    vi.stubGlobal("fetch", async (url: URL, init: RequestInit) => {
      asked.push([url.href, init]);
      return new Response(
        url.pathname.startsWith("/blocks/") ? Uint8Array.of(7) : Float32Array.of(1, 2, 3, 4),
      );
    });
    const source = httpSource(base);
    expect([...(await source.bytes("map.tsne/ä"))]).toEqual([7]);
    expect([...((await source.decode?.(Float32Array.of(5), 1)) ?? [])]).toEqual([1, 2, 3, 4]);
    const posterior = await source.encode?.(Float32Array.of(5), 1);
    expect([[...(posterior?.mu ?? [])], [...(posterior?.logvar ?? [])]]).toEqual([
      [1, 2],
      [3, 4],
    ]);
    expect(asked.map(([url]) => url)).toEqual([
      `${base}blocks/map.tsne%2F%C3%A4`,
      `${base}decode`,
      `${base}encode`,
    ]);
    expect(asked[1][1].method).toBe("POST");
  });

  test("silence and refusal are told in a sentence", async () => {
    vi.stubGlobal("fetch", async () => Promise.reject(new TypeError("Failed to fetch")));
    await expect(httpSource(base).manifest()).rejects.toThrow("The server does not answer");
    vi.stubGlobal("fetch", async () => new Response("There is no such page.\n", { status: 404 }));
    await expect(httpSource(base).bytes("mu")).rejects.toThrow(
      "The server refused “blocks/mu” (404): There is no such page.",
    );
    vi.stubGlobal("fetch", async () => new Response("<html>"));
    await expect(httpSource(base).manifest()).rejects.toThrow("not JSON");
  });
});

/** As much of anywidget's model as a page can see. */
class FakeModel {
  readonly sent: { content: { type: string; id: number; n: number }; buffers: ArrayBuffer[] }[] =
    [];
  saves = 0;
  private readonly handlers = new Map<string, Set<(...args: never[]) => void>>();
  constructor(private readonly state: Record<string, unknown>) {}
  get = (key: string): unknown => this.state[key];
  set = (key: string, value: unknown): void => {
    this.state[key] = value;
    this.fire(`change:${key}`);
  };
  save_changes = (): void => void this.saves++;
  send = (content: never, _: unknown, buffers: ArrayBuffer[]): void =>
    void this.sent.push({ content, buffers });
  on = (name: string, handler: never): void => {
    if (!this.handlers.has(name)) this.handlers.set(name, new Set());
    this.handlers.get(name)?.add(handler);
  };
  off = (name: string, handler: never): void => void this.handlers.get(name)?.delete(handler);
  fire(name: string, ...args: unknown[]): void {
    for (const handler of this.handlers.get(name) ?? []) handler(...(args as never[]));
  }
  get nHandlers(): number {
    return [...this.handlers.values()].reduce((sum, each) => sum + each.size, 0);
  }
}

function widget(state: Record<string, unknown> = {}) {
  const model = new FakeModel(state);
  return { model, source: widgetSource(model as never) };
}

describe("the notebook", () => {
  test("manifest and blocks are traits", async () => {
    const bytes = Uint8Array.of(9, 1, 2, 3);
    const { source } = widget({
      manifest: '{"a": 1}',
      blocks: { mu: new DataView(bytes.buffer, 1, 2) },
    });
    expect(await source.manifest()).toEqual({ a: 1 });
    expect([...(await source.bytes("mu"))]).toEqual([1, 2]);
    await expect(source.bytes("map")).rejects.toThrow("run the cell again");
  });

  test("the kernel decodes; answers find their questions in any order", async () => {
    const { model, source } = widget();
    const first = source.decode?.(Float32Array.of(1, 2).subarray(1), 1);
    const second = source.encode?.(Float32Array.of(3), 1);
    expect(model.sent.map(({ content }) => [content.type, content.n])).toEqual([
      ["decode", 1],
      ["encode", 1],
    ]);
    expect([...new Float32Array(model.sent[0].buffers[0])]).toEqual([2]);
    const view = (...values: number[]): DataView => new DataView(Float32Array.from(values).buffer);
    model.fire("msg:custom", { type: "encoded", id: model.sent[1].content.id }, [view(5), view(6)]);
    model.fire("msg:custom", { type: "decoded", id: model.sent[0].content.id }, [view(7, 8)]);
    expect([...((await first) ?? [])]).toEqual([7, 8]);
    expect(await second).toEqual({ mu: Float32Array.of(5), logvar: Float32Array.of(6) });
  });

  test("an error, a dead kernel and a closed widget end the waiting", async () => {
    vi.useFakeTimers();
    const { model, source } = widget();
    const refused = source.decode?.(Float32Array.of(1), 1);
    model.fire(
      "msg:custom",
      { type: "error", id: model.sent[0].content.id, message: "no such neuron." },
      [],
    );
    await expect(refused).rejects.toThrow("no such neuron.");
    const unheard = expect(source.decode?.(Float32Array.of(1), 1)).rejects.toThrow(
      "does not answer",
    );
    await vi.advanceTimersByTimeAsync(31_000);
    await unheard;
    const late = expect(source.decode?.(Float32Array.of(1), 1)).rejects.toThrow("closed");
    source.close?.();
    await late;
    expect(model.nHandlers).toBe(0);
  });

  test("shared state tells what Python changed, not what the page did", () => {
    const { model, source } = widget({ map: "tsne", z: [0] });
    const heard: string[] = [];
    const stop = source.shared?.onChange((key) => heard.push(key));
    source.shared?.set({ map: "pca", z: [1] });
    expect([heard, model.saves, source.shared?.get("map")]).toEqual([[], 1, "pca"]);
    model.set("z", [2]);
    expect(heard).toEqual(["z"]);
    stop?.();
    model.set("z", [3]);
    expect(heard).toEqual(["z"]);
  });
});
