import type { ComponentType } from "preact";
import type { Manifest } from "../scene/manifest";
import { AroundPanel } from "./around_panel";
import { ClassesPanel } from "./classes_panel";
import { ColumnsPanel } from "./columns_panel";
import { DrawPanel } from "./draw_panel";
import { NeuronsPanel } from "./neurons_panel";
import { PathPanel } from "./path_panel";
import { SelectPanel } from "./select_panel";
import { ShelfPanel } from "./shelf_panel";
import { TablePanel } from "./table_panel";

/** Beside the map, one at a time. A new one is a file with its panel and a line in this list. */
interface Tab {
  /** In addresses. */
  name: string;
  title: string;
  Panel: ComponentType;
  /** Of scenes that have something for it; all, if absent. */
  isFor?(manifest: Manifest): boolean;
}

/** The keys 1, 2, … open them; the first is open when the page opens. */
export const TABS: readonly Tab[] = [
  { name: "neurons", title: "Neurons", Panel: NeuronsPanel },
  { name: "around", title: "Around", Panel: AroundPanel },
  { name: "path", title: "Path", Panel: PathPanel },
  { name: "classes", title: "Classes", Panel: ClassesPanel },
  { name: "draw", title: "Draw", Panel: DrawPanel },
  {
    name: "columns",
    title: "Columns",
    Panel: ColumnsPanel,
    isFor: ({ columns }) => (columns ?? []).length > 0,
  },
  { name: "table", title: "Table", Panel: TablePanel },
  { name: "select", title: "Select", Panel: SelectPanel },
  { name: "shelf", title: "Shelf", Panel: ShelfPanel },
];
