// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { mount } from "../src/mount";
import type { DataSource } from "../src/scene/source";
import { recorder } from "./helpers/canvas";
import { memorySource, smallScene } from "./helpers/scenes";

const contexts = vi.fn();

function open(change: Partial<DataSource> = {}) {
  const { manifest, bytes } = smallScene(30, 3);
  const el = document.createElement("div");
  document.body.append(el);
  return { el, ...mount(el, { ...memorySource(manifest, bytes), ...change }) };
}

const shownIn = (el: HTMLElement) =>
  vi.waitUntil(() => el.querySelector<HTMLElement>(".zs-app"), { interval: 0 });

beforeEach(() => {
  vi.spyOn(HTMLCanvasElement.prototype, "getContext").mockImplementation(((kind: string) => {
    contexts(kind);
    return kind === "2d" ? recorder([]) : null;
  }) as never);
});
afterEach(() => {
  contexts.mockClear();
  vi.restoreAllMocks();
  document.body.replaceChildren();
  delete document.body.dataset.jpThemeLight;
});

it("what is closed before it is shown takes no context, and is done", async () => {
  const close = vi.fn();
  const { el, ready, destroy } = open({ close });
  await shownIn(el);
  destroy();
  await ready;
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(contexts).not.toHaveBeenCalledWith("webgl2");
  expect(close).toHaveBeenCalledOnce();
  expect(el.childNodes).toHaveLength(0);
});

it("follows a notebook that is switched from dark to light", async () => {
  document.body.dataset.jpThemeLight = "false";
  const { el, destroy } = open();
  const root = el.querySelector<HTMLElement>(".zscape")!;
  await shownIn(el);
  expect(root.dataset.theme).toBe("dark");
  document.body.dataset.jpThemeLight = "true";
  await vi.waitUntil(() => root.dataset.theme === "light");
  destroy();
});
