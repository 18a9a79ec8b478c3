// `npm run bench:filters`: milliseconds of one move of a brush over 12 columns, two of them filtered already.
import process from "node:process";
import { bundled } from "./bundle.mjs";

const { measure } = await import(await bundled("filters"));
for (const n of [10_000, 200_000, 1_000_000]) {
  const times = measure(n).sort((a, b) => a - b);
  const at = (share) => times[Math.floor(share * times.length)].toFixed(1);
  process.stdout.write(`${n} points: ${at(0.5)} ms a move, 95 in 100 within ${at(0.95)} ms\n`);
}
