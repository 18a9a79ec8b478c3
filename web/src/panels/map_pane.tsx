import { useEffect, useRef } from "preact/hooks";
import { mapFigure } from "../output/figure";
import { download, fileName } from "../output/files";
import { pointAt, resizeMap } from "../state/actions";
import { useCell } from "../state/cell";
import { usePage } from "./context";
import { createHoverCard } from "./hover_card";
import { IconButton } from "./icons";
import { Legend } from "./legend";
import { attachMap, type MapController } from "./map_controller";
import { MemberBar } from "./member_bar";
import { SelectionBar } from "./selection_bar";
import { PairAxes, Toolbar } from "./toolbar";

export function MapPane({ onShown }: { onShown(): void }) {
  const { explorer, thumbnails, ownsPage } = usePage();
  // A notebook has a main part of its own.
  const Part = ownsPage ? "main" : "section";
  const host = useRef<HTMLDivElement>(null);
  const card = useRef<HTMLDivElement>(null);
  const controller = useRef<MapController | null>(null);
  const zoomBar = useRef<HTMLDivElement>(null);
  const tool = useCell(explorer.tool);

  useEffect(() => {
    const hover = createHoverCard(explorer, thumbnails, card.current!);
    const resized = new ResizeObserver(([entry]) => {
      const { width, height } = entry.contentRect;
      resizeMap(explorer, { width, height });
      // What goes away is still told of a size.
      if (zoomBar.current) controller.current?.view.setRim(rimOf(zoomBar.current, width));
    });
    resized.observe(host.current!);
    controller.current = attachMap(explorer, thumbnails, host.current!, (hit) => {
      hover.show(hit);
      pointAt(explorer, hit.row);
    });
    onShown();
    return () => {
      resized.disconnect();
      hover.destroy();
      controller.current?.destroy();
      controller.current = null;
    };
  }, []);

  const zoom = (factor: number) => {
    const view = controller.current?.view;
    if (!view) return;
    const box = view.getView();
    view.setView({ ...box, scale: box.scale / factor }, true);
  };
  const save = async (format: "png" | "svg") => {
    const still = controller.current?.view.still();
    if (!still) return;
    const file = await mapFigure(explorer, still, format);
    download(fileName(explorer.manifest.title, `${explorer.map.value}.${format}`), file);
  };
  return (
    <Part class="zs-map-pane" aria-label="Map of the latent space">
      <Toolbar />
      <MemberBar />
      <div class="zs-map-frame">
        <div ref={host} class="zs-map" data-testid="map" data-tool={tool} />
        <div ref={zoomBar} class="zs-zoom" role="toolbar" aria-label="Zoom">
          <IconButton icon="plus" label="Nearer" keys="+" onClick={() => zoom(1.6)} />
          <IconButton icon="minus" label="Farther" keys="−" onClick={() => zoom(1 / 1.6)} />
          <IconButton
            icon="fit"
            label="Show all"
            keys="0"
            onClick={() => controller.current?.view.fit()}
          />
          <IconButton icon="save" label="Save the map as PNG" onClick={() => void save("png")} />
          <IconButton icon="svg" label="Save the map as SVG" onClick={() => void save("svg")} />
        </div>
        <PairAxes />
        <div ref={card} class="zs-card" hidden />
        <SelectionBar fit={(rows) => controller.current?.view.fit(rows)} />
      </div>
      <Legend />
    </Part>
  );
}

/** On a small map the bar covers much of the height, so that nothing may lie under it. */
const rimOf = (bar: HTMLElement, width: number): number => (width < 700 ? bar.offsetWidth + 14 : 0);
