// @vitest-environment happy-dom
import { describe, expect, it, vi } from "vitest";
import { Checker } from "../src/scene/checker";
import type { Step, Story } from "../src/scene/manifest";
import { checkStory, readStory } from "../src/scene/story";
import { chooseRow, setColor, setMap, undo } from "../src/state/actions";
import { drawPath } from "../src/state/actions_path";
import { pick } from "../src/state/actions_selection";
import { keep } from "../src/state/actions_shelf";
import {
  changeStep,
  dropStep,
  keepView,
  keepViewAgain,
  leaveStory,
  moveStep,
  openStep,
  setStory,
} from "../src/state/actions_story";
import { addressOf, applyAddress, readAddress, writeAddress } from "../src/state/address";
import type { Explorer } from "../src/state/explorer";
import { smallExplorer } from "./app_explorer";

const step = (title: string, view: Step["view"] = {}): Step => ({ title, text: "", view });
const story = (...steps: Step[]): Story => ({ title: "told", steps });
const titles = ({ story }: Explorer) => story.value?.steps.map(({ title }) => title);

describe("a story", () => {
  it("shows the view of its steps, and undo brings back what the reader had", async () => {
    vi.stubGlobal("matchMedia", () => ({ matches: true })); // as still as can be
    const explorer = await smallExplorer();
    setStory(explorer, story(step("a", { map: "z0,z1", row: 4 }), step("b", "#color=z2&row=7")));
    chooseRow(explorer, 2);
    keep(explorer);
    pick(explorer, [1, 2]);
    drawPath(explorer, Float32Array.of(0, 0, 1, 1), 3);
    openStep(explorer, 0);
    expect([explorer.step.value, explorer.map.value]).toEqual([0, "z0,z1"]);
    expect(explorer.current.value.origin).toEqual({ kind: "row", row: 4 });
    expect([explorer.selection.value, explorer.path.value]).toEqual([[], null]);
    expect(explorer.kept.value).toHaveLength(1);
    openStep(explorer, 1);
    expect([explorer.map.value, explorer.color.value]).toEqual(["tsne", "z2"]);
    undo(explorer);
    undo(explorer);
    expect(explorer.current.value.origin).toEqual({ kind: "row", row: 2 });
    expect(explorer.selection.value).toEqual([1, 2]);
    openStep(explorer, 2);
    expect(explorer.step.value).toBe(1);
    leaveStory(explorer);
    expect(explorer.step.value).toBe(-1);
    vi.unstubAllGlobals();
  });

  it("glides from step to step, until somebody goes elsewhere", async () => {
    vi.stubGlobal("matchMedia", () => ({ matches: false }));
    const frames: FrameRequestCallback[] = [];
    vi.stubGlobal("requestAnimationFrame", (frame: FrameRequestCallback) => frames.push(frame));
    const explorer = await smallExplorer();
    const at = () => explorer.current.value;
    const tick = (now: number) => {
      for (const frame of frames.splice(0)) frame(now);
    };
    setStory(explorer, story(step("a", { row: 4 }), step("b", { row: 7 })));
    chooseRow(explorer, 2);
    const [from, to] = [2, 7].map((row) => explorer.mu[3 * row]);
    openStep(explorer, 0);
    openStep(explorer, 1); // before the first has gone anywhere
    tick(1);
    tick(451);
    expect(at().z[0]).toBeCloseTo((from + to) / 2, 5);
    tick(2000);
    expect(at().origin).toEqual({ kind: "row", row: 7 });
    expect(frames).toEqual([]);
    openStep(explorer, 0);
    tick(3000);
    chooseRow(explorer, 9);
    tick(3400);
    expect(at().origin).toEqual({ kind: "row", row: 9 });
    vi.unstubAllGlobals();
  });

  it("is made of views that are kept, which are named, moved, taken anew and let go of", async () => {
    const explorer = await smallExplorer();
    setMap(explorer, "z0,z1");
    keep(explorer);
    keepView(explorer);
    setColor(explorer, "z2");
    keepView(explorer);
    keepView(explorer);
    expect(titles(explorer)).toEqual(["Step 1", "Step 2", "Step 3"]);
    changeStep(explorer, 1, { title: "two", text: "*second*" });
    moveStep(explorer, 1, 0);
    dropStep(explorer, 2);
    expect(titles(explorer)).toEqual(["two", "Step 1"]);
    undo(explorer);
    expect(titles(explorer)).toEqual(["two", "Step 1", "Step 3"]);
    const { view } = explorer.story.value!.steps[0];
    expect(view).toMatchObject({ map: "z0,z1", color: "z2", row: 0 });
    expect(view).not.toHaveProperty("kept"); // is a person's own
    setMap(explorer, "tsne");
    keepViewAgain(explorer, 0);
    expect(explorer.story.value!.steps[0].view).toMatchObject({ map: "tsne" });
    expect(readStory(JSON.stringify(explorer.story.value))).toEqual(explorer.story.value);
    for (let i = 0; i < 3; i++) dropStep(explorer, 0);
    expect(explorer.story.value).toBe(null);
  });

  it("is at the step that a link says", async () => {
    const one = await smallExplorer();
    setStory(one, story(step("a"), step("b")));
    openStep(one, 1);
    const two = await smallExplorer();
    applyAddress(two, readAddress(`#${writeAddress(addressOf(one))}`, 3), false);
    expect(two.step.value).toBe(1);
  });

  it.each([
    ["[", "story must be"],
    ["[]", "story must be"],
    ['{"title": "a", "steps": []}', "story.steps must be a list of 1 to 200"],
    ['{"title": "a", "steps": [{"title": "a", "text": "b"}]}', "steps[0].view must be"],
  ])("is refused where it is none: %s", (text, said) => {
    expect(() => readStory(text)).toThrow(said);
  });

  it("has questions with an answer among the choices", () => {
    const ask = { question: "?", choices: ["a", "b"], answer: 2, because: "" };
    const told = { title: "a", steps: [{ ...step("b"), ask }] };
    expect(() => checkStory(new Checker(told, "story"))).toThrow("steps[0].ask.answer");
    ask.answer = 1;
    checkStory(new Checker(told, "story"));
  });
});
