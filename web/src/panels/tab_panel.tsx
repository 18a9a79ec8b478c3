import type { ComponentType } from "preact";
import { useRef } from "preact/hooks";
import { openTab } from "../state/actions";
import { useCell } from "../state/cell";
import type { Tab } from "../state/explorer";
import { AroundPanel } from "./around_panel";
import { ClassesPanel } from "./classes_panel";
import { usePage } from "./context";
import { DrawPanel } from "./draw_panel";
import { NeuronsPanel } from "./neurons_panel";
import { PathPanel } from "./path_panel";

const TABS: { tab: Tab; title: string; Panel: ComponentType }[] = [
  { tab: "neurons", title: "Neurons", Panel: NeuronsPanel },
  { tab: "around", title: "Around", Panel: AroundPanel },
  { tab: "path", title: "Path", Panel: PathPanel },
  { tab: "classes", title: "Classes", Panel: ClassesPanel },
  { tab: "draw", title: "Draw", Panel: DrawPanel },
];

export function TabPanel() {
  const { explorer, id } = usePage();
  const current = useCell(explorer.tab);
  const list = useRef<HTMLDivElement>(null);
  const { Panel } = TABS.find(({ tab }) => tab === current)!;
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const at = TABS.findIndex(({ tab }) => tab === current);
    const next = (at + step + TABS.length) % TABS.length;
    openTab(explorer, TABS[next].tab);
    (list.current!.children[next] as HTMLElement).focus();
  };
  return (
    <div class="zs-tabs">
      <div ref={list} class="zs-tablist" role="tablist" aria-label="Tools" onKeyDown={onKeyDown}>
        {TABS.map(({ tab, title }) => (
          <button
            key={tab}
            type="button"
            role="tab"
            id={id(`tab-${tab}`)}
            aria-selected={tab === current}
            aria-controls={id("panel")}
            tabIndex={tab === current ? 0 : -1}
            onClick={() => openTab(explorer, tab)}
          >
            {title}
          </button>
        ))}
      </div>
      <div
        class="zs-panel"
        role="tabpanel"
        id={id("panel")}
        aria-labelledby={id(`tab-${current}`)}
        tabIndex={0}
      >
        <Panel key={current} />
      </div>
    </div>
  );
}
