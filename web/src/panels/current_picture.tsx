import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { copyText } from "../output/files";
import { vectorText } from "../output/text";
import { keep } from "../state/actions_shelf";
import { useCell } from "../state/cell";
import { className, describe } from "../state/origin";
import { shadeOf } from "../state/trust";
import { useChanges, usePage } from "./context";
import { Icon } from "./icons";
import { asWhat, named, paint, paintWhenReady } from "./picture";
import { fileOf } from "./values";

/** The picture of the current vector, beside the original or what comes nearest to it. */
export function CurrentPicture() {
  return (
    <section class="zs-current" aria-label="Current picture">
      <div class="zs-pair">
        <Decoded />
        <Beside />
      </div>
      <TrustLine />
      <Facts />
    </section>
  );
}

function Decoded() {
  const { explorer } = usePage();
  const decoder = useCell(explorer.decoder);
  const canvas = useRef<HTMLCanvasElement>(null);
  const { look } = explorer;
  const told = useCell(explorer.told);
  const what = asWhat(explorer, told);
  const cannot = decoder !== null && !decoder.canDecode;
  useLayoutEffect(() => {
    // Painted in the event that asked for it, not a frame later.
    const show = (): void => {
      const pixels = explorer.picture.value;
      if (!canvas.current) return;
      if (pixels) paint(canvas.current, pixels, 0, look);
      else canvas.current.getContext("2d")?.clearRect(0, 0, look[2], look[1]);
    };
    show();
    return explorer.picture.subscribe(show);
  }, []);
  return (
    <figure class="zs-figure">
      {cannot ? (
        <p class="zs-placeholder">
          {explorer.manifest.why ?? "The network of this model cannot run here."}
        </p>
      ) : (
        <canvas
          ref={canvas}
          class="zs-picture"
          width={look[2]}
          height={look[1]}
          style={{ aspectRatio: `${look[2]} / ${look[1]}` }}
          data-testid="picture"
          {...named("The picture decoded from the current vector")}
        />
      )}
      {what ? (
        <figcaption title={`Decoded${what}`}>
          <span class="zs-verb">Decoded </span>
          {what.trim()}
        </figcaption>
      ) : (
        <figcaption>Decoded</figcaption>
      )}
    </figure>
  );
}

function Beside() {
  const { explorer, thumbnails } = usePage();
  const canvas = useRef<HTMLCanvasElement>(null);
  const [caption, setCaption] = useState("");
  const forget = useRef(() => {});
  useChanges([explorer.current], () => {
    const isRow = explorer.current.value.origin.kind === "row";
    const { row } = explorer.nearest.value;
    forget.current();
    forget.current = paintWhenReady(canvas.current!, thumbnails.pixels(row), thumbnails.look);
    const label = explorer.labels
      ? `, “${className(explorer.manifest, explorer.labels[row])}”`
      : "";
    setCaption((isRow ? "Original" : `Nearest in the data${label}`) + thumbnails.note);
  });
  const [, height, width] = thumbnails.look;
  return (
    <figure class="zs-figure">
      <canvas
        ref={canvas}
        class="zs-picture"
        width={width}
        height={height}
        style={{ aspectRatio: `${width} / ${height}` }}
        {...named(caption)}
      />
      <figcaption>{caption}</figcaption>
    </figure>
  );
}

/** What speaks for the picture, in one sentence; how it was measured, when asked. */
function TrustLine() {
  const { explorer } = usePage();
  const { sentence, why, ...trust } = useCell(explorer.place).trust;
  return (
    <details class="zs-trust" data-level={shadeOf(trust)} data-testid="trust">
      <summary title="What is measured?">
        <span class="zs-meter" aria-hidden="true">
          <span style={{ width: `${Math.round(100 * trust.value)}%` }} />
        </span>
        <span>{sentence}</span>
        <Icon name="help" />
      </summary>
      <p class="zs-hint">{why}</p>
    </details>
  );
}

function Facts() {
  const { explorer } = usePage();
  const { z, origin } = useCell(explorer.current);
  const [note, setNote] = useState("");
  const say = (text: string) => {
    setNote(text);
    setTimeout(() => setNote(""), 1600);
  };
  const labelOf = (row: number) => explorer.labels?.[row] ?? null;
  const text = describe(origin, explorer.manifest, labelOf, (row) => explorer.indices[row]);
  const file = origin.kind === "row" ? fileOf(explorer.columns, origin.row) : "";
  return (
    <div class="zs-facts">
      <p data-testid="origin" {...(file ? { title: file } : {})}>
        {text}
        {file && ` · ${file}`}
      </p>
      <div class="zs-buttons">
        <button
          type="button"
          onClick={() => {
            say(`Kept as “${keep(explorer).name}”`);
          }}
        >
          Keep
        </button>
        <button
          type="button"
          onClick={async () => say((await copyText(vectorText(z))) ? "Copied" : "Could not copy")}
        >
          Copy vector
        </button>
        <span class="zs-muted" role="status">
          {note}
        </span>
      </div>
    </div>
  );
}
