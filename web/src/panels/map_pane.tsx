import { useEffect, useRef } from "preact/hooks";
import { download, fileName } from "../output/files";
import { resizeMap } from "../state/actions";
import { useCell } from "../state/cell";
import { usePage } from "./context";
import { createHoverCard } from "./hover_card";
import { IconButton } from "./icons";
import { Legend } from "./legend";
import { attachMap, type MapController } from "./map_controller";
import { SelectionBar } from "./selection_bar";
import { Toolbar } from "./toolbar";

export function MapPane({ onShown }: { onShown(): void }) {
  const { explorer, thumbnails, ownsPage } = usePage();
  // A notebook has a main part of its own.
  const Part = ownsPage ? "main" : "section";
  const host = useRef<HTMLDivElement>(null);
  const card = useRef<HTMLDivElement>(null);
  const controller = useRef<MapController | null>(null);
  const tool = useCell(explorer.tool);

  useEffect(() => {
    const hover = createHoverCard(explorer, thumbnails, card.current!);
    const resized = new ResizeObserver(([entry]) => {
      const { width, height } = entry.contentRect;
      resizeMap(explorer, { width, height });
    });
    resized.observe(host.current!);
    controller.current = attachMap(explorer, thumbnails, host.current!, (hit) => hover.show(hit));
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
  const save = async () => {
    const picture = await controller.current?.view.snapshot();
    if (picture) download(fileName(explorer.manifest.title, `${explorer.map.value}.png`), picture);
  };
  return (
    <Part class="zs-map-pane" aria-label="Map of the latent space">
      <Toolbar />
      <div class="zs-map-frame">
        <div ref={host} class="zs-map" data-testid="map" data-tool={tool} />
        <div class="zs-zoom" role="toolbar" aria-label="Zoom">
          <IconButton icon="plus" label="Nearer" keys="+" onClick={() => zoom(1.6)} />
          <IconButton icon="minus" label="Farther" keys="−" onClick={() => zoom(1 / 1.6)} />
          <IconButton
            icon="fit"
            label="Show all"
            keys="0"
            onClick={() => controller.current?.view.fit()}
          />
          <IconButton icon="save" label="Save the map as PNG" onClick={() => void save()} />
        </div>
        <div ref={card} class="zs-card" hidden />
        <SelectionBar fit={(rows) => controller.current?.view.fit(rows)} />
      </div>
      <Legend />
    </Part>
  );
}
