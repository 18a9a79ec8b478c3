import { useRef } from "preact/hooks";
import { openTab } from "../state/actions";
import { useCell } from "../state/cell";
import { usePage } from "./context";
import { TABS } from "./tabs";

export function TabPanel() {
  const { explorer, id } = usePage();
  const tabs = TABS.filter(({ name }) => explorer.tabs.includes(name));
  const current = useCell(explorer.tab);
  const list = useRef<HTMLDivElement>(null);
  const { Panel } = tabs.find(({ name }) => name === current)!;
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    // Keys come faster than the page is drawn: from the tab that is open, not from the one drawn last.
    const at = tabs.findIndex(({ name }) => name === explorer.tab.value);
    const next = (at + step + tabs.length) % tabs.length;
    openTab(explorer, tabs[next].name);
    (list.current!.children[next] as HTMLElement).focus();
  };
  return (
    <div class="zs-tabs">
      <div ref={list} class="zs-tablist" role="tablist" aria-label="Tools" onKeyDown={onKeyDown}>
        {tabs.map(({ name, title }) => (
          <button
            key={name}
            type="button"
            role="tab"
            id={id(`tab-${name}`)}
            aria-selected={name === current}
            aria-controls={id("panel")}
            tabIndex={name === current ? 0 : -1}
            onClick={() => openTab(explorer, name)}
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
