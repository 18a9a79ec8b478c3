/** What a person can do with stories, as functions of the explorer: read one, and make one. */
import type { Step, Story } from "../scene/manifest";
import { mayMove } from "../view/navigation";
import { asStep, goTo, turnTo } from "./actions";
import { addressOf, checkAddress, readAddress, showAddress } from "./address";
import { change } from "./change";
import type { Explorer } from "./explorer";
import type { Current } from "./origin";

/** From where one is to where the step is. */
const GLIDE_MS = 900;

export const setStory = (explorer: Explorer, story: Story | null): void =>
  asStep(explorer, () => change(explorer, "story", story));

/** Opens the step of that number, from 0, and shows its view; what the reader has done meanwhile can be undone. */
export function openStep(explorer: Explorer, number: number, isStep = true): void {
  const step = explorer.story.value?.steps[number];
  if (!step) return;
  const { view } = step;
  const address =
    typeof view === "string" ? readAddress(view, explorer.dim) : checkAddress(view, explorer.dim);
  const before = explorer.current.value;
  asStep(explorer, () => showAddress(explorer, address), isStep);
  turnTo(explorer, number);
  if (mayMove() && explorer.decoder.value?.canDecode) glide(explorer, before);
}

/** Back to free walking. */
export const leaveStory = (explorer: Explorer): void => turnTo(explorer, -1);

/** Decodes all that lies straight between where one was and where one is. */
function glide(explorer: Explorer, before: Current): void {
  const after = explorer.current.value;
  if (after === before) return;
  let mine = { ...before }; // another than what a glide before this one may be at
  goTo(explorer, mine);
  let start = 0;
  const frame = (now: number): void => {
    if (explorer.current.value !== mine) return; // the reader, or another step, has gone elsewhere
    start ||= now;
    const share = Math.min((now - start) / GLIDE_MS, 1);
    const t = share * share * (3 - 2 * share);
    mine =
      share === 1
        ? after
        : {
            z: before.z.map((value, i) => value + t * (after.z[i]! - value)),
            origin: { kind: "given" },
          };
    goTo(explorer, mine);
    if (share < 1) requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
}

/** Keeps what is seen now as the last step of the story, or of a new one. */
export function keepView(explorer: Explorer): void {
  const story = explorer.story.value ?? { title: explorer.manifest.title, steps: [] };
  const number = story.steps.length + 1;
  const step: Step = { title: `Step ${number}`, text: "", view: viewOf(explorer) };
  setStory(explorer, { ...story, steps: [...story.steps, step] });
}

/** What is seen, without what is only a person's own: the shelf and what is kept are no part of a step. */
function viewOf(explorer: Explorer): Step["view"] {
  const { kept: _, step: __, ...view } = addressOf(explorer);
  return view as Step["view"];
}

/** Another title, text or view of a step. */
export function changeStep(explorer: Explorer, number: number, changes: Partial<Step>): void {
  const story = explorer.story.value;
  if (!story?.steps[number]) return;
  const steps = story.steps.with(number, { ...story.steps[number], ...changes });
  setStory(explorer, { ...story, steps });
}

/** The view of a step is what is seen now. */
export const keepViewAgain = (explorer: Explorer, number: number): void =>
  changeStep(explorer, number, { view: viewOf(explorer) });

export function moveStep(explorer: Explorer, from: number, to: number): void {
  const story = explorer.story.value;
  if (!story?.steps[from] || !story.steps[to]) return;
  const others = story.steps.filter((_, i) => i !== from);
  setStory(explorer, { ...story, steps: others.toSpliced(to, 0, story.steps[from]) });
}

export function dropStep(explorer: Explorer, number: number): void {
  const story = explorer.story.value;
  if (!story) return;
  const steps = story.steps.filter((_, i) => i !== number);
  setStory(explorer, steps.length ? { ...story, steps } : null);
  if (!steps.length) leaveStory(explorer);
}
