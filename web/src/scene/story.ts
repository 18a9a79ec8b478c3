/** A story, read from a manifest or from a file of its own. */
import { Checker } from "./checker";
import type { Story } from "./manifest";

export const MOST_STEPS = 200;

/** @throws SceneError that says what is wrong, and where. */
export function checkStory(story: Checker): void {
  story.at("title").string();
  const steps = story.at("steps").list();
  if (!steps.length || steps.length > MOST_STEPS)
    story.at("steps").fail(`a list of 1 to ${MOST_STEPS} steps`);
  for (const step of steps) {
    step.at("title").string();
    step.at("text").string();
    if (typeof step.at("view").value !== "string") step.at("view").object();
    const ask = step.at("ask");
    if (ask.isNull()) continue;
    ask.at("question").string();
    const choices = ask.at("choices").list();
    if (choices.length < 2) ask.at("choices").fail("a list of two or more");
    for (const choice of choices) choice.string();
    ask.at("answer").integer(0, choices.length - 1);
    ask.at("because").string();
  }
}

/** The story in a file's text. @throws SceneError */
export function readStory(text: string): Story {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  checkStory(new Checker(value, "story"));
  return value as Story;
}
