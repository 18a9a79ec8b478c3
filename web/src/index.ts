/** The explorer in its three homes: a notebook, a page from a server, and one file. */
import type { AnyModel } from "@anywidget/types";
import { type Explored, mount } from "./mount";
import { embeddedSource } from "./scene/embedded";
import { httpSource } from "./scene/http";
import { widgetSource } from "./scene/widget";

export { mount };

/** For anywidget. Returns what cleans up when the view is closed. */
function render({ model, el }: { model: AnyModel; el: HTMLElement }): () => void {
  const explored = mount(el, widgetSource(model));
  return explored.destroy;
}

export default { render };

const HOMES = { embedded: embeddedSource, server: httpSource } as const;

/** Pages say where an explorer goes by `<div data-zscape="embedded">` or `"server"`. */
function mountAll(): Explored[] {
  const roots = document.querySelectorAll<HTMLElement>("[data-zscape]:not([data-zscape-mounted])");
  return [...roots].flatMap((el) => {
    const home = HOMES[el.dataset.zscape as keyof typeof HOMES];
    if (!home) return [];
    el.dataset.zscapeMounted = "";
    return [mount(el, home(), { ownsPage: true })];
  });
}

if (document.readyState === "loading")
  document.addEventListener("DOMContentLoaded", mountAll, { once: true });
else mountAll();
