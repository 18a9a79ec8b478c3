/** The scene inside one HTML file: JSON and base64 in script elements that are never run. */
import { fromBase64 } from "./base64";
import { type DataSource, SceneError } from "./source";

export const MANIFEST_ID = "zscape-manifest";

export function embeddedSource(root: ParentNode = document): DataSource {
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
    async bytes(name) {
      const elements = root.querySelectorAll<HTMLElement>("script[data-zscape-block]");
      const element = [...elements].find((each) => each.dataset.zscapeBlock === name);
      if (!element)
        throw new SceneError(`This file is incomplete: the block “${name}” is missing.`);
      try {
        return fromBase64((element.textContent ?? "").trim());
      } catch {
        throw new SceneError(`The block “${name}” is damaged: it is not base64.`);
      }
    },
  };
}
