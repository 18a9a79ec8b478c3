import { download, fileName } from "../output/files";
import type { Step } from "../scene/manifest";
import { SceneError } from "../scene/source";
import { readStory } from "../scene/story";
import { say } from "../state/actions";
import {
  changeStep,
  dropStep,
  keepView,
  keepViewAgain,
  moveStep,
  openStep,
  setStory,
} from "../state/actions_story";
import { useCell } from "../state/cell";
import { usePage } from "./context";
import { IconButton } from "./icons";
import { LoadFile } from "./load_file";

/** Makes a story of views that are kept, one after the other. */
export function StoryMaker() {
  const { explorer } = usePage();
  const story = useCell(explorer.story);
  const save = () =>
    download(
      fileName(explorer.manifest.title, "story.json"),
      new Blob([JSON.stringify(story, null, 1)], { type: "application/json" }),
    );
  const load = (text: string, name: string) => {
    try {
      setStory(explorer, readStory(text));
      say(explorer, "");
    } catch (error) {
      if (!(error instanceof SceneError)) throw error;
      say(explorer, `${name} is no story: ${error.message.replace("This scene is damaged: ", "")}`);
    }
  };
  return (
    <section aria-label="Story">
      <h2>Story</h2>
      <p class="zs-hint">
        Views with a title and a caption, for others to step through. <em>Save</em>, then{" "}
        <code>zscape export MODEL --story FILE</code> puts it into a page.
      </p>
      <div class="zs-buttons">
        <button type="button" onClick={() => keepView(explorer)}>
          Keep this view
        </button>
        <button type="button" disabled={!story} onClick={() => openStep(explorer, 0)}>
          Read it
        </button>
        <button type="button" disabled={!story} onClick={save}>
          Save story
        </button>
        <LoadFile label="Load a story" accept=".json,application/json" onText={load} />
      </div>
      {story && (
        <>
          <label class="zs-story-title">
            <span class="zs-hint">Title</span>
            <input
              class="zs-name"
              value={story.title}
              onChange={({ currentTarget }) =>
                setStory(explorer, { ...story, title: currentTarget.value })
              }
            />
          </label>
          <ol class="zs-steps" data-testid="steps">
            {story.steps.map((step, i) => (
              <StepRow key={i} step={step} number={i} n={story.steps.length} />
            ))}
          </ol>
        </>
      )}
    </section>
  );
}

function StepRow({ step, number, n }: { step: Step; number: number; n: number }) {
  const { explorer } = usePage();
  const what = `step ${number + 1}`;
  return (
    <li>
      <span class="zs-step-head">
        <input
          class="zs-name"
          aria-label={`Title of ${what}`}
          value={step.title}
          onChange={({ currentTarget }) =>
            changeStep(explorer, number, { title: currentTarget.value })
          }
        />
        <button
          type="button"
          aria-label={`Show ${what}`}
          onClick={() => openStep(explorer, number)}
        >
          Show
        </button>
        <button
          type="button"
          aria-label={`Take this view for ${what}`}
          title="The step shows what is seen now"
          onClick={() => keepViewAgain(explorer, number)}
        >
          Take this view
        </button>
        <IconButton
          icon="up"
          label={`Move ${what} up`}
          isDisabled={number === 0}
          onClick={() => moveStep(explorer, number, number - 1)}
        />
        <IconButton
          icon="down"
          label={`Move ${what} down`}
          isDisabled={number === n - 1}
          onClick={() => moveStep(explorer, number, number + 1)}
        />
        <IconButton
          icon="close"
          label={`Delete ${what}`}
          onClick={() => dropStep(explorer, number)}
        />
      </span>
      <textarea
        rows={3}
        placeholder="Caption, in Markdown"
        aria-label={`Caption of ${what}`}
        value={step.text}
        onChange={({ currentTarget }) =>
          changeStep(explorer, number, { text: currentTarget.value })
        }
      />
    </li>
  );
}
