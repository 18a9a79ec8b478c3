/** The scene inside one HTML file: JSON and base64 in script elements that are never run. */
import { fromBase64 } from "./base64";
import { type DataSource, type Part, SceneError } from "./source";

export const MANIFEST_ID = "zscape-manifest";

export function embeddedSource(root: ParentNode = document): DataSource {
  /** Of blocks in pages: the page's own text is copied whenever it is asked for. */
  const texts = new Map<string, string>();
  return {
    async manifest() {
      const element = root.querySelector(`#${MANIFEST_ID}`);
      if (!element) throw new SceneError("This file holds no scene: it ends before its manifest.");
      try {
        return JSON.parse(element.textContent ?? "");
      } catch {
        throw new SceneError("This file is damaged: its manifest is not JSON.");
      }
    },
    async bytes(name, part) {
      let text = texts.get(name);
      if (text === undefined) {
        const elements = root.querySelectorAll<HTMLElement>("script[data-zscape-block]");
        const element = [...elements].find((each) => each.dataset.zscapeBlock === name);
        if (!element)
          throw new SceneError(`This file is incomplete: the block “${name}” is missing.`);
        text = (element.textContent ?? "").trim();
        if (part) texts.set(name, text);
      }
      try {
        return part ? partOf(text, part) : fromBase64(text);
      } catch {
        throw new SceneError(`The block “${name}” is damaged: it is not base64.`);
      }
    },
  };
}

/** Three bytes are four letters. */
function partOf(text: string, { from, to }: Part): Uint8Array {
  const first = Math.floor(from / 3);
  const bytes = fromBase64(text.slice(4 * first, 4 * Math.ceil(to / 3)));
  return bytes.subarray(from - 3 * first, to - 3 * first);
}
