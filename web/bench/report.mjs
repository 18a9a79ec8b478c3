// The results of bench-web as a page, beside what was promised.

const ms = (value) => `${value.toFixed(value < 10 ? 1 : 0)} ms`;
const both = ({ median, p95 }) => `${ms(median)}, p95 ${ms(p95)}`;

function row(what, promised, measured, isMet) {
  return `| ${what} | ${promised} | ${measured} | ${isMet === null ? "" : isMet ? "yes" : "**no**"} |`;
}

const inGroups = (n) => Number(n).toLocaleString("en").replaceAll(",", " ");

function viewers([n, by]) {
  return Object.entries(by).map(([name, { why, ready, zoom, pan, click, heap }]) =>
    why
      ? `| ${inGroups(n)} | ${name} | does not run: ${why} |  |  |  |  |`
      : `| ${inGroups(n)} | ${name} | ${ms(ready)} | ${both(zoom)} | ${both(pan)} | ${click ? both(click) : ""} | ${heap ? `${heap.toFixed(0)} MB` : ""} |`,
  );
}

export function asMarkdown({
  machine,
  load,
  browser,
  ready,
  file,
  server,
  zoom,
  network,
  sizes,
  bundle,
  large,
}) {
  const frame = (n, limit) =>
    row(
      `a frame of zooming, ${inGroups(n)} points`,
      limit ? `${limit} ms` : "usable",
      `${ms(zoom[n].capped.median)} (without the screen's pace ${ms(zoom[n].uncapped.median)})`,
      limit ? zoom[n].capped.median <= limit : null,
    );
  const size = (what, limit, measured, unit) =>
    row(what, `${limit} ${unit}`, `${measured.toFixed(1)} ${unit}`, measured <= limit);
  const engine = ({ engine: name, init, decode, encode }) =>
    `| ${name} | ${ms(init)} | ${[...decode, ...encode].map(({ median }) => ms(median)).join(" | ")} |`;
  return `# The explorer in a browser

Made by \`make bench-web\` on ${machine}, ${browser}, software rendering, 1280 × 860; load before: ${load.toFixed(1)}.
zoo:10 with 10 000 test digits.

| | promised | measured | met |
|---|---|---|---|
${[
  row(
    "click → picture",
    "5 ms, p95 16 ms",
    both(file.click),
    file.click.median <= 5 && file.click.p95 <= 16,
  ),
  row(
    "click → picture, server",
    "5 ms, p95 16 ms",
    both(server.click),
    server.click.median <= 5 && server.click.p95 <= 16,
  ),
  row("slider → picture", "p95 8 ms", both(file.slider), file.slider.p95 <= 8),
  row("ready after navigation, file", "600 ms", ms(ready.file.median), ready.file.median <= 600),
  row(
    "ready after navigation, server",
    "1000 ms",
    ms(ready.server.median),
    ready.server.median <= 1000,
  ),
  frame("10000", 17),
  frame("70000", 45),
  frame("200000", 33),
  frame("1000000", 33),
  row("grid of 10 × 10 pictures", "90 ms", both(file.grid), file.grid.median <= 90),
  size("file, fp16", 6, sizes.f16, "MB"),
  size("file, int8", 4, sizes.i8, "MB"),
  size("file, 70 000 digits", 16, sizes.all, "MB"),
  size("bundle, gzipped", 140, bundle.gzip, "KB"),
].join("\n")}

Clicks, sliders: from the browser's time stamp of the event to the pixels in the canvas, ${file.click.n} clicks all over the
t-SNE map and ${file.slider.n} moves. Ready: from navigation to the first decoded picture, a new browser each time, median of
${ready.file.n}. Frames: median interval of 90 while the map of 800 × 600 zooms; while it moves, the map draws as many points as
it can in time. Grid: from the key to the last of its pictures; longest stretch without a chance for input
${file.grid.longestTask ? ms(file.grid.longestTask) : "below 50 ms"}.

## Large sets

Digits on the t-SNE map of zoo:10, served as a folder: zscape's whole page, and the maps alone of Embedding Atlas
(\`embedding-atlas\`) and \`regl-scatterplot\` with the same points in the same colours, 800 × 600 each. Frames: median interval
and p95 while the wheel zooms in and out, and while a drag pans. Click: from the event to the decoded picture. Shown: from navigation to
the first frame; ours has decoded a picture then, too. Heap: of the page's JavaScript, without its typed arrays where
the browser counts those apart.

| points | viewer | shown | a frame of zooming | of panning | click → picture | heap |
|---|---|---|---|---|---|---|
${Object.entries(large).flatMap(viewers).join("\n")}

## The network in the browser

Milliseconds for 1, 16 and 100 pictures, median.

| engine | ready | decode 1 | 16 | 100 | encode 1 | 16 | 100 |
|---|---|---|---|---|---|---|---|
${network.map(engine).join("\n")}
`;
}
