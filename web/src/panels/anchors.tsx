import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { setCurrent } from "../state/actions";
import { dropAnchor, moveAnchor } from "../state/actions_path";
import { joinedVectors, type Path } from "../state/path";
import { usePage } from "./context";
import { IconButton } from "./icons";
import { Picture } from "./picture";
import { useDecoded } from "./use_decoded";

/** A pointer that moved less has clicked. */
const CLICK_PX = 5;

/** What the path goes by way of, in an order that is changed by dragging, or by Shift and arrow keys. */
export function Anchors({ path }: { path: Path }) {
  const { explorer } = usePage();
  const { anchors } = path;
  const vectors = useMemo(() => joinedVectors(anchors), [anchors]);
  const pixels = useDecoded(vectors);
  const list = useRef<HTMLOListElement>(null);
  const pressed = useRef<{ from: number; x: number; y: number; isDrag: boolean } | null>(null);
  const [drag, setDrag] = useState<{ from: number; to: number } | null>(null);
  /** The one to have the focus once the others are drawn. */
  const wanted = useRef(-1);
  useEffect(() => {
    if (wanted.current >= 0) focusOn(wanted.current);
    wanted.current = -1;
  }, [anchors]);
  const focusOn = (which: number) =>
    list.current!.querySelectorAll<HTMLElement>(".zs-stop")[which]?.focus();

  /** Whose picture is nearest to the pointer. */
  const under = (event: PointerEvent): number => {
    const gaps = Array.from(list.current!.children, (item) => {
      const box = item.getBoundingClientRect();
      return Math.hypot(
        event.clientX - (box.left + box.right) / 2,
        event.clientY - (box.top + box.bottom) / 2,
      );
    });
    return gaps.indexOf(Math.min(...gaps));
  };
  const down = (event: PointerEvent, from: number) => {
    if (event.button !== 0) return;
    pressed.current = { from, x: event.clientX, y: event.clientY, isDrag: false };
    (event.currentTarget as HTMLElement).setPointerCapture(event.pointerId);
  };
  const move = (event: PointerEvent) => {
    const held = pressed.current;
    if (!held) return;
    held.isDrag ||= Math.hypot(event.clientX - held.x, event.clientY - held.y) > CLICK_PX;
    if (held.isDrag) setDrag({ from: held.from, to: under(event) });
  };
  const up = (event: PointerEvent) => {
    const held = pressed.current;
    if (held?.isDrag && event.type === "pointerup") moveAnchor(explorer, held.from, under(event));
    setDrag(null);
    // A click comes after this, and must know.
    setTimeout(() => {
      pressed.current = null;
    });
  };
  const press = (event: KeyboardEvent, at: number) => {
    const step = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[event.key];
    if (event.key === "Delete" || event.key === "Backspace") {
      wanted.current = Math.min(at, anchors.length - 2);
      dropAnchor(explorer, at);
    } else if (step) {
      const to = at + step;
      if (!(to in anchors)) return;
      if (event.shiftKey) {
        wanted.current = to;
        moveAnchor(explorer, at, to);
      } else focusOn(to);
    } else return;
    event.preventDefault();
  };
  return (
    <ol class="zs-anchors" ref={list} data-testid="anchors" aria-label="The path goes by way of">
      {anchors.map((z, i) => (
        <li
          key={i}
          data-held={drag?.from === i}
          data-side={drag?.to !== i || drag.from === i ? "" : drag.from < i ? "after" : "before"}
        >
          <button
            type="button"
            class="zs-stop"
            aria-label={`${i + 1} of ${anchors.length}. Enter goes there, Shift and arrow keys reorder, Delete leaves it out.`}
            title="Drag to another place in the order"
            onPointerDown={(event) => down(event, i)}
            onPointerMove={move}
            onPointerUp={up}
            onPointerCancel={up}
            onKeyDown={(event) => press(event, i)}
            onClick={() => {
              if (!pressed.current?.isDrag) setCurrent(explorer, z, { kind: "given" });
            }}
          >
            {pixels ? (
              <Picture
                pixels={pixels}
                offset={(i * pixels.length) / anchors.length}
                look={explorer.look}
                label=""
              />
            ) : (
              <span class="zs-stop-text">{i + 1}</span>
            )}
          </button>
          {anchors.length > 2 && (
            <IconButton
              icon="close"
              label={`Leave out ${i + 1}`}
              onClick={() => dropAnchor(explorer, i)}
            />
          )}
        </li>
      ))}
    </ol>
  );
}
