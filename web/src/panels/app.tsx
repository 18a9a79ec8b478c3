import { useEffect, useRef, useState } from "preact/hooks";
import { setLayout } from "../state/actions";
import { useCell } from "../state/cell";
import { describe } from "../state/origin";
import { usePage } from "./context";
import { CurrentPicture } from "./current_picture";
import { Header } from "./header";
import { HelpDialog } from "./help_dialog";
import { IconButton } from "./icons";
import { MapPane } from "./map_pane";
import { onShortcut } from "./shortcuts";
import { Splitter } from "./splitter";
import { StoryCard } from "./story_card";
import { TabPanel } from "./tab_panel";

interface Props {
  root: HTMLElement;
  onShown(): void;
}

export function App({ root, onShown }: Props) {
  const { explorer, ownsPage } = usePage();
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
      <MapPane onShown={onShown} />
      <Splitter />
      <aside class="zs-side" aria-label="Picture and tools">
        <CurrentPicture />
        <Notice />
        <TabPanel />
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
