import { readdirSync, readFileSync } from "node:fs";
import { join, normalize, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

/** Data flows down: a folder imports only from itself and from those before it. Types count too. */
const LAYERS = ["scene", "model", "maps", "view", "state", "tools", "output", "panels", "."];
const SOURCE = fileURLToPath(new URL("../src", import.meta.url));

const layerOf = (path: string): string => (path.includes(sep) ? path.split(sep)[0] : ".");

it("every folder imports only from those before it", () => {
  const files = readdirSync(SOURCE, { recursive: true, encoding: "utf8" }).filter((path) =>
    /\.tsx?$/.test(path),
  );
  expect(new Set(files.map(layerOf))).toEqual(new Set(LAYERS));
  const wrong = files.flatMap((path) => {
    const text = readFileSync(join(SOURCE, path), "utf8");
    const imported = [...text.matchAll(/from "(\.[^"]+)"/g)].map(([, to]) =>
      normalize(join(path, "..", to)),
    );
    return imported
      .filter((to) => LAYERS.indexOf(layerOf(to)) > LAYERS.indexOf(layerOf(path)))
      .map((to) => `${path} imports ${to}`);
  });
  expect(wrong).toEqual([]);
});
