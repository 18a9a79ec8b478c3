import { useEffect, useRef, useState } from "preact/hooks";
import type { Question, Step } from "../scene/manifest";
import { leaveStory, openStep } from "../state/actions_story";
import { applyAddress, readAddress } from "../state/address";
import { useCell } from "../state/cell";
import { usePage } from "./context";
import { IconButton } from "./icons";
import { Markdown } from "./markdown";

/** The step that is read: its caption, its question, back and next. */
export function StoryCard() {
  const { explorer } = usePage();
  const story = useCell(explorer.story);
  const number = useCell(explorer.step);
  const step = story?.steps[number];
  const card = useRef<HTMLElement>(null);
  useEffect(() => {
    card.current?.scrollTo({ top: 0 });
  }, [number]);
  if (!story || !step) return null;
  const last = story.steps.length - 1;
  return (
    <section ref={card} class="zs-story" aria-label="Story" data-testid="story">
      <div class="zs-story-head">
        <span class="zs-story-name">{story.title}</span>
        <span class="zs-muted">
          {number + 1} of {last + 1}
        </span>
        <IconButton icon="close" label="Leave the story" onClick={() => leaveStory(explorer)} />
      </div>
      <div class="zs-story-text" aria-live="polite">
        <h2>{step.title}</h2>
        <Markdown text={step.text} onLink={(hash) => followLink(hash)} />
        {step.ask && <Ask key={number} ask={step.ask} onLink={(hash) => followLink(hash)} />}
      </div>
      <nav class="zs-story-way" aria-label="Steps of the story">
        <button
          type="button"
          disabled={number === 0}
          onClick={() => openStep(explorer, number - 1)}
        >
          Back
        </button>
        <Dots steps={story.steps} number={number} />
        {number < last ? (
          <button type="button" class="zs-next" onClick={() => openStep(explorer, number + 1)}>
            Next
          </button>
        ) : (
          <button type="button" class="zs-next" onClick={() => leaveStory(explorer)}>
            Walk on alone
          </button>
        )}
      </nav>
    </section>
  );

  function followLink(hash: string): void {
    applyAddress(explorer, readAddress(hash, explorer.dim));
  }
}

function Dots({ steps, number }: { steps: readonly Step[]; number: number }) {
  const { explorer } = usePage();
  return (
    <span class="zs-dots">
      {steps.map(({ title }, i) => (
        <button
          key={i}
          type="button"
          aria-label={`${i + 1}: ${title}`}
          title={title}
          aria-current={i === number ? "step" : undefined}
          onClick={() => openStep(explorer, i)}
        />
      ))}
    </span>
  );
}

/** What is right comes with the first guess, and not before: it is not in the page until then. */
function Ask({ ask, onLink }: { ask: Question; onLink(hash: string): void }) {
  const [guess, setGuess] = useState<number | null>(null);
  const isDone = guess !== null;
  return (
    <div class="zs-ask" role="group" aria-label="A question">
      <p>
        <strong>{ask.question}</strong>
      </p>
      <div class="zs-choices">
        {ask.choices.map((choice, i) => (
          <button
            key={choice}
            type="button"
            disabled={isDone}
            data-answer={!isDone ? "" : i === ask.answer ? "right" : i === guess ? "wrong" : ""}
            aria-pressed={guess === i}
            onClick={() => setGuess(i)}
          >
            {choice}
          </button>
        ))}
      </div>
      {isDone && (
        <div role="status">
          <p>
            <strong>{guess === ask.answer ? "Yes." : `No: ${ask.choices[ask.answer]}.`}</strong>
          </p>
          <Markdown text={ask.because} onLink={onLink} />
        </div>
      )}
    </div>
  );
}
