import { h, render } from "preact";
import { indexLatent } from "./maps/indexing";
import { createModel } from "./model/create_model";
import { App } from "./panels/app";
import { type Page, PageContext } from "./panels/context";
import { TABS } from "./panels/tabs";
import { loadScene } from "./scene/load_scene";
import { areSameImages } from "./scene/members";
import { type DataSource, type Scene, SceneError } from "./scene/source";
import { flip, say, setDecoder, setLayout } from "./state/actions";
import { followNetworks } from "./state/actions_members";
import { openStep } from "./state/actions_story";
import { followAddress, openHash } from "./state/address";
import { cell, watch } from "./state/cell";
import { createExplorer } from "./state/create_explorer";
import { createDecoder, type Decoder } from "./state/decoder";
import type { Explorer, Layout } from "./state/explorer";
import { link } from "./state/link";
import { followPosterior } from "./state/posterior";
import { followShared } from "./state/shared";
import { whenIdle } from "./state/slices";
import { createThumbnails, type Thumbnails } from "./state/thumbnails";
import styles from "./styles.css?inline";
import { TOOLS } from "./tools/tools";

/** An explorer in a page. */
export interface Explored {
  /** When the map is shown and the first picture decoded, or a sentence says why not. */
  readonly ready: Promise<void>;
  destroy(): void;
}

export interface MountOptions {
  /** It fills the page, keeps its state in the address and hears keys wherever they are pressed. */
  ownsPage?: boolean;
  /** What it shows first: the end of a link, from "#" on. Without, the first step of its story, if it has one. */
  view?: string;
  layout?: Layout;
}

let lastNumber = 0;

/** Puts an explorer into `el`. */
export function mount(
  el: HTMLElement,
  source: DataSource,
  { ownsPage = false, layout = "full", view = "" }: MountOptions = {},
): Explored {
  const startView = ownsPage && location.hash.length > 1 ? location.hash : view;
  const root = document.createElement("div");
  root.className = ownsPage ? "zscape zs-page" : "zscape zs-embedded";
  // JupyterLab would take letters typed here for commands: its shortcuts ask the focused element first, then those around.
  root.addEventListener("focusin", (event) => keepKeys(event.target));
  keepKeys(root);
  const style = document.createElement("style");
  style.textContent = styles;
  const body = document.createElement("div");
  body.className = "zs-root";
  root.append(style, body);
  el.append(root);

  const prefersDark = matchMedia("(prefers-color-scheme: dark)");
  const endings: (() => void)[] = [() => source.close?.()];
  let isDestroyed = false;
  showMessage(body, "Opening the scene …");
  root.dataset.theme = prefersDark.matches ? "dark" : "light";

  async function start(): Promise<void> {
    const scene = await loadScene(source);
    if (isDestroyed) return;
    const explorer = createExplorer(scene, {
      isDark: isDarkHere(el, prefersDark),
      tools: TOOLS.map(({ name }) => name),
      tabs: TABS.filter(({ isFor }) => isFor?.(scene.manifest) ?? true).map(({ name }) => name),
    });
    followTheme(explorer, root, prefersDark, endings);
    setLayout(explorer, layout);
    if (startView) openHash(explorer, startView, false);
    else openStep(explorer, 0, false);
    if (source.shared) endings.push(followShared(explorer, source.shared));
    const number = ++lastNumber;
    const networks = createNetworks(source);
    const beside = cell(false);
    const thumbnailsOf = (of: Scene): Thumbnails =>
      createThumbnails(of, (error) => say(explorer, sentenceOf(error)));
    const page: Page = {
      explorer,
      ownsPage,
      thumbnails: thumbnailsOf(scene),
      id: (name) => `zscape-${number}-${name}`,
      beside,
      toggleBeside: () => beside.set(!beside.value),
    };
    /** Another member beside the one that is shown: the next, or the one before the last. */
    const openBeside = (): [Page, () => void] => {
      const at = explorer.member.value;
      const to = scene.members[at + 1 < scene.members.length ? at + 1 : at - 1]!;
      const second = createExplorer(to, {
        isDark: explorer.isDark.value,
        tools: explorer.tools,
        tabs: explorer.tabs,
      });
      const other: Page = {
        ...page,
        explorer: second,
        thumbnails: areSameImages(to.manifest, scene.manifest) ? page.thumbnails : thumbnailsOf(to),
        id: (name) => `zscape-${number}-beside-${name}`,
      };
      const ends = [
        followNetworks(second, networks),
        followPosterior(second, other.thumbnails),
        link(explorer, second),
      ];
      return [other, () => ends.forEach((end) => end())];
    };
    endings.push(followPosterior(explorer, page.thumbnails));
    body.replaceChildren();
    endings.push(() => render(null, body));
    await new Promise<void>((resolve) => {
      endings.push(resolve);
      const app = h(App, {
        root,
        onShown: resolve,
        openBeside: scene.members.length > 1 ? openBeside : null,
      });
      render(h(PageContext.Provider, { value: page }, app), body);
    });
    if (isDestroyed) return;
    const decoder = await networks(explorer.scene);
    if (isDestroyed) return;
    const decoded = decoder.canDecode ? firstAnswer(explorer) : null;
    setDecoder(explorer, decoder);
    endings.push(followNetworks(explorer, networks));
    if (scene.about && !scene.about.isFilm) beside.set(true);
    if (ownsPage) endings.push(followAddress(explorer));
    await decoded;
    if (isDestroyed) return;
    endings.push(
      whenIdle(() => {
        const { mu, dim } = explorer;
        void indexLatent(mu, dim).then(() => isDestroyed || explorer.latentSpacing());
      }),
    );
    if (scene.members.length > 1) endings.push(whenIdle(() => void prepareAll(scene, networks)));
    performance.mark("zs-ready");
    root.dataset.ready = "true";
  }

  const ready = start().catch((error: unknown) => {
    if (isDestroyed) return;
    root.dataset.ready = "failed";
    render(null, body);
    showMessage(body, sentenceOf(error), true);
    if (!(error instanceof SceneError)) console.error(error);
  });
  return {
    ready,
    destroy() {
      if (isDestroyed) return;
      isDestroyed = true;
      for (const end of endings.splice(0).reverse()) end();
      root.remove();
    },
  };
}

type Networks = (scene: Scene) => Decoder | Promise<Decoder>;

/** The network of a scene, each made once. */
function createNetworks(source: DataSource): Networks {
  const known = new Map<number, Decoder | Promise<Decoder>>();
  return (scene) => {
    const { member } = scene;
    const ready = known.get(member);
    if (ready) return ready;
    // What stands behind the page has the network of the first member alone.
    const { decode: _, encode: __, ...alone } = source;
    const made = createModel(scene).then((model) => {
      const decoder = createDecoder(model, scene.members.length > 1 ? alone : source);
      known.set(member, decoder);
      return decoder;
    });
    known.set(member, made);
    return made;
  };
}

/** One after the other, so that none is waited for when the slider comes to it. */
async function prepareAll(scene: Scene, networks: Networks): Promise<void> {
  for (const member of scene.members) await networks(member);
}

/** Once there is a picture, or a sentence that says why not. */
function firstAnswer(explorer: Explorer): Promise<void> {
  return new Promise((resolve) => {
    const stop = watch([explorer.picture, explorer.notice], () => {
      stop();
      resolve();
    });
  });
}

function keepKeys(element: EventTarget | null): void {
  if (element instanceof HTMLElement) element.dataset.lmSuppressShortcuts = "true";
}

/** Where a notebook says whether it is dark, which it may be where the system is light. */
const themed = (el: HTMLElement): HTMLElement =>
  el.closest<HTMLElement>("[data-jp-theme-light]") ?? document.body;

function isDarkHere(el: HTMLElement, system: MediaQueryList): boolean {
  const { jpThemeLight } = themed(el).dataset;
  return jpThemeLight === undefined ? system.matches : jpThemeLight === "false";
}

function followTheme(
  explorer: Explorer,
  root: HTMLElement,
  system: MediaQueryList,
  endings: (() => void)[],
): void {
  const show = (): void => {
    root.dataset.theme = explorer.isDark.value ? "dark" : "light";
  };
  let wasDark = explorer.isDark.value;
  /** Only where the surroundings have changed: a person may have chosen otherwise. */
  const follow = (): void => {
    const isDark = isDarkHere(root, system);
    if (isDark !== wasDark) flip(explorer, "isDark", isDark);
    wasDark = isDark;
  };
  show();
  const notebook = new MutationObserver(follow);
  notebook.observe(themed(root), { attributeFilter: ["data-jp-theme-light"] });
  system.addEventListener("change", follow);
  endings.push(
    explorer.isDark.subscribe(show),
    () => system.removeEventListener("change", follow),
    () => notebook.disconnect(),
  );
}

function sentenceOf(error: unknown): string {
  if (error instanceof SceneError) return error.message;
  return `This page could not be shown: ${error instanceof Error ? error.message : String(error)}`;
}

function showMessage(body: HTMLElement, text: string, isError = false): void {
  const message = document.createElement("p");
  message.className = "zs-message";
  message.setAttribute("role", isError ? "alert" : "status");
  message.textContent = text;
  body.replaceChildren(message);
}
