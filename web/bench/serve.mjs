import { createReadStream, statSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";

const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".json": "application/json",
};

/** Serves a folder on this machine as any server of files does, ranges and all; `use` gets its address. */
export async function withFiles(folder, use) {
  const server = createServer((request, response) => {
    const path = normalize(decodeURIComponent(new URL(request.url, "http://x").pathname));
    const file = join(folder, path.endsWith("/") ? `${path}index.html` : path);
    const length = statSync(file, { throwIfNoEntry: false })?.size;
    if (length === undefined) return response.writeHead(404).end();
    const span = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "");
    const [start, end] = span ? [Number(span[1]), Number(span[2])] : [0, length - 1];
    response.writeHead(span ? 206 : 200, {
      "Content-Type": TYPES[extname(file)] ?? "application/octet-stream",
      "Content-Length": end - start + 1,
      ...(span ? { "Content-Range": `bytes ${start}-${end}/${length}` } : {}),
    });
    if (length === 0) return response.end();
    createReadStream(file, { start, end }).pipe(response);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    return await use(`http://127.0.0.1:${server.address().port}/`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}
