import { lasso } from "./lasso";
import { pan } from "./pan";
import { path } from "./path";
import type { Tool } from "./tool";
import { walk } from "./walk";

/** In the order of the toolbar; the first is at hand when the page opens. */
export const TOOLS: readonly Tool[] = [walk, pan, lasso, path];
