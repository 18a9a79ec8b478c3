/** The explorer in its three homes: a notebook, a page from a server, and one file. */
import type { AnyModel } from "@anywidget/types";
import { type Explored, type MountOptions, mount } from "./mount";
import { embeddedSource, MANIFEST_ID } from "./scene/embedded";
import { folderSource, httpSource } from "./scene/http";
import { widgetSource } from "./scene/widget";
import { LAYOUTS } from "./state/explorer";

export { mount };

/** For anywidget. Returns what cleans up when the view is closed. */
function render({ model, el }: { model: AnyModel; el: HTMLElement }): () => void {
  const explored = mount(el, widgetSource(model));
  return explored.destroy;
}

export default { render };

const HOMES = {
  // A page of several scenes has each inside its own element.
  embedded: (el: HTMLElement) =>
    embeddedSource(el.querySelector(`#${MANIFEST_ID}`) ? el : document),
  server: () => httpSource(),
  folder: () => folderSource(),
} as const;

/**
 * Pages say where an explorer goes by `<div data-zscape="embedded">`, `"folder"` or `"server"`; what it shows first by
 * `data-view="#map=pca"`, and how much stands around it by `data-layout="embed"`, or `?embed` in the page's address.
 * Several share a page; the address is for one alone.
 */
function mountAll(): Explored[] {
  const roots = document.querySelectorAll<HTMLElement>("[data-zscape]:not([data-zscape-mounted])");
  const asked = new URLSearchParams(location.search);
  return [...roots].flatMap((el) => {
    const { zscape, view = "", layout: own } = el.dataset;
    const home = HOMES[zscape as keyof typeof HOMES];
    if (!home) return [];
    el.dataset.zscapeMounted = "";
    const layout = LAYOUTS.find((each) => each === own || asked.has(each)) ?? "full";
    const options: MountOptions = { ownsPage: roots.length === 1, layout, view };
    return [mount(el, home(el), options)];
  });
}

if (document.readyState === "loading")
  document.addEventListener("DOMContentLoaded", mountAll, { once: true });
else mountAll();
