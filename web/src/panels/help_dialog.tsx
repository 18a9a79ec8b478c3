import { useEffect, useRef } from "preact/hooks";
import { usePage } from "./context";
import { Glossary } from "./glossary";
import { IconButton } from "./icons";
import { SHORTCUTS } from "./shortcuts";

export function HelpDialog({ isOpen, close }: { isOpen: boolean; close(): void }) {
  const { explorer, id } = usePage();
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (isOpen) dialog.current!.showModal();
    else dialog.current!.close();
  }, [isOpen]);
  const { manifest } = explorer;
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: a click beside it; Escape closes it as every dialog
    <dialog
      ref={dialog}
      class="zs-dialog"
      aria-labelledby={id("help")}
      onClose={close}
      onClick={(event) => event.target === dialog.current && close()}
    >
      <div class="zs-dialog-body">
        <div class="zs-dialog-head">
          <h2 id={id("help")}>Walk the latent space</h2>
          <IconButton icon="close" label="Close" onClick={close} />
        </div>
        <p>
          Every dot is a picture, put where the model sees it. Point anywhere, also between the
          dots: the place is turned back into a vector, and the vector into a picture. The halo
          around the cross shows how far the data is.
        </p>
        <table>
          <tbody>
            {SHORTCUTS.map(([keys, does]) => (
              <tr key={keys}>
                <th scope="row">
                  {keys.split("  ").map((key) => (
                    <kbd key={key}>{key}</kbd>
                  ))}
                </th>
                <td>{does}</td>
              </tr>
            ))}
          </tbody>
        </table>
        <details>
          <summary>Words</summary>
          <Glossary />
        </details>
        <p class="zs-muted">Made by {manifest.generator}.</p>
      </div>
    </dialog>
  );
}
