import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { setLayout } from "../state/actions";
import { useCell } from "../state/cell";
import type { Explorer } from "../state/explorer";
import { neighboursKept } from "../state/link";
import { describe } from "../state/origin";
import { type Page, PageContext, usePage } from "./context";
import { CurrentPicture } from "./current_picture";
import { Header } from "./header";
import { HelpDialog } from "./help_dialog";
import { IconButton } from "./icons";
import { MapPane } from "./map_pane";
import { memberName } from "./member_bar";
import { onShortcut } from "./shortcuts";
import { Splitter } from "./splitter";
import { StoryCard } from "./story_card";
import { TabPanel } from "./tab_panel";

interface Props {
  root: HTMLElement;
  onShown(): void;
  /** A second map beside the first, and what ends it; null where the scene has one member. */
  openBeside: (() => [Page, () => void]) | null;
}

export function App({ root, onShown, openBeside }: Props) {
  const page = usePage();
  const { explorer, ownsPage, beside } = page;
  const member = useCell(explorer.member);
  const isDouble = useCell(beside);
  const [other, setOther] = useState<Page | null>(null);
  const [active, setActive] = useState<Page>(page);
  useLayoutEffect(() => {
    if (!isDouble || !openBeside) return;
    const [opened, close] = openBeside();
    setOther(opened);
    return () => {
      setActive(page);
      setOther(null);
      close();
    };
  }, [isDouble]);
  const [isHelpOpen, setHelpOpen] = useState(false);
  const layout = useCell(explorer.layout);
  const story = useCell(explorer.story);
  const step = useCell(explorer.step);
  const isTold = story !== null && step in story.steps;
  useEffect(() => {
    const target: HTMLElement | Document = ownsPage ? document : root;
    const listener = (event: Event) =>
      onShortcut(explorer, event as KeyboardEvent, () => setHelpOpen(true));
    target.addEventListener("keydown", listener);
    return () => target.removeEventListener("keydown", listener);
  }, []);
  return (
    <div class="zs-app" data-layout={layout} data-story={isTold}>
      <Header openHelp={() => setHelpOpen(true)} />
      <StoryCard />
      <div class="zs-maps">
        <div class="zs-pane" onPointerDownCapture={() => setActive(page)}>
          <MapPane onShown={onShown} />
        </div>
        {other && (
          <PageContext.Provider value={other}>
            <div class="zs-pane" onPointerDownCapture={() => setActive(other)}>
              <MapPane onShown={() => undefined} />
            </div>
          </PageContext.Provider>
        )}
      </div>
      <Splitter />
      <aside class="zs-side" aria-label="Picture and tools">
        <div class={other ? "zs-both" : "zs-one"}>
          <CurrentPicture />
          {other && (
            <PageContext.Provider value={other}>
              <CurrentPicture />
            </PageContext.Provider>
          )}
        </div>
        {other && <Which pages={[page, other]} active={active} choose={setActive} />}
        <Notice />
        <PageContext.Provider value={active}>
          <TabPanel key={`${member} ${active === page}`} />
        </PageContext.Provider>
      </aside>
      {layout !== "full" && (
        <div class="zs-more">
          <IconButton
            icon="more"
            label="Show all tools"
            keys="Esc"
            onClick={() => setLayout(explorer, "full")}
          />
        </div>
      )}
      <HelpDialog isOpen={isHelpOpen} close={() => setHelpOpen(false)} />
      <LiveRegion />
    </div>
  );
}

/** Whose neurons, classes and tables are shown below: the sliders of the two are apart. */
function Which({
  pages,
  active,
  choose,
}: {
  pages: readonly Page[];
  active: Page;
  choose(page: Page): void;
}) {
  for (const { explorer } of pages) useCell(explorer.member);
  const kept = neighboursKept(pages[0].explorer);
  return (
    <div class="zs-which">
      <div class="zs-segments" role="group" aria-label="Below">
        {pages.map((each) => (
          <button
            key={each.id("")}
            type="button"
            aria-pressed={each === active}
            onClick={() => choose(each)}
          >
            {nameOf(each.explorer)}
          </button>
        ))}
      </div>
      {kept !== null && (
        <p class="zs-hint" data-testid="kept">
          A picture keeps {Math.round(100 * kept)} % of its 15 nearest neighbours.
        </p>
      )}
    </div>
  );
}

const nameOf = ({ scene, member }: Explorer): string => memberName(scene.about!, member.value);

function Notice() {
  const { explorer } = usePage();
  const notice = useCell(explorer.notice);
  return (
    <p class="zs-notice" role="alert" hidden={!notice}>
      {notice}
    </p>
  );
}

/** Says what picture it is and how far to trust it, once the hand rests. */
function LiveRegion() {
  const { explorer } = usePage();
  const region = useRef<HTMLDivElement>(null);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout>;
    const stop = explorer.place.subscribe(() => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        const { current, place, manifest, labels, indices } = explorer;
        const { origin } = current.value;
        const what = describe(
          origin,
          manifest,
          (row) => labels?.[row] ?? null,
          (row) => indices[row],
        );
        const text = `${what}. ${place.value.trust.sentence}`;
        if (region.current && region.current.textContent !== text)
          region.current.textContent = text;
      }, 700);
    });
    return () => {
      clearTimeout(timer);
      stop();
    };
  }, []);
  return (
    <div ref={region} class="zs-hidden-text" role="status" aria-live="polite" data-testid="live" />
  );
}
