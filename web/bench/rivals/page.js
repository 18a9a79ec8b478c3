/** Other viewers of points on the same ones: `rivals.html?name=…&points=…` shows one of them. */

const WIDTH = 800;
const HEIGHT = 600;
const COLORS =
  "#366382 #f07213 #00a294 #8c62d6 #eac414 #74091e #08e6b7 #985615 #adaafd #51128d".split(" ");

async function read(folder) {
  const bytes = async (name) => (await fetch(`${folder}/${name}`)).arrayBuffer();
  return {
    x: new Float32Array(await bytes("x.f32")),
    y: new Float32Array(await bytes("y.f32")),
    label: new Uint8Array(await bytes("label.u8")),
  };
}

async function scatterplot(el, { x, y, label }) {
  const { default: create } = await import("regl-scatterplot");
  const canvas = document.createElement("canvas");
  el.append(canvas);
  const plot = create({ canvas, width: WIDTH, height: HEIGHT, pointSize: 1.4, opacity: 0.4 });
  plot.set({ colorBy: "valueA", pointColor: COLORS });
  const most = x.reduce((top, each, i) => Math.max(top, Math.abs(each), Math.abs(y[i])), 0);
  await plot.draw({ x: x.map((v) => v / most), y: y.map((v) => v / most), z: Array.from(label) });
}

async function atlas(el, { x, y, label }) {
  const { EmbeddingView } = await import("embedding-atlas");
  new EmbeddingView(el, {
    data: { x, y, category: label },
    categoryColors: COLORS,
    width: WIDTH,
    height: HEIGHT,
  });
}

const RIVALS = { "regl-scatterplot": scatterplot, "embedding-atlas": atlas };

const asked = new URLSearchParams(location.search);
const el = document.querySelector("#map");
const points = await read(asked.get("points"));
await RIVALS[asked.get("name")](el, points);
await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
performance.mark("shown");
document.body.dataset.ready = "true";
