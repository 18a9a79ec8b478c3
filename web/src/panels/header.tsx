import { useState } from "preact/hooks";
import { copyText } from "../output/files";
import { flip, redo, setLayout, undo } from "../state/actions";
import { leaveStory, openStep } from "../state/actions_story";
import { useCell } from "../state/cell";
import { count } from "../state/origin";
import { usePage } from "./context";
import { IconButton } from "./icons";

export function Header({ openHelp }: { openHelp(): void }) {
  const { explorer } = usePage();
  const { manifest, history, isDark } = explorer;
  const dark = useCell(isDark);
  const canUndo = useCell(history.canUndo);
  const canRedo = useCell(history.canRedo);
  const story = useCell(explorer.story);
  const step = useCell(explorer.step);
  const [isCopied, setCopied] = useState(false);
  const isLinkable = explorer.scene.source.shared === undefined;
  const copyLink = async () => {
    setCopied(await copyText(location.href));
    setTimeout(() => setCopied(false), 1600);
  };
  return (
    <header class="zs-header">
      <h1 class="zs-title">{explorer.scene.about?.title ?? manifest.title}</h1>
      <p class="zs-subtitle">
        {manifest.data} · {count(explorer.n)} {explorer.n === 1 ? "picture" : "pictures"} ·{" "}
        {manifest.latentDim} {manifest.latentDim === 1 ? "neuron" : "neurons"}
      </p>
      <div class="zs-header-tools" role="toolbar" aria-label="Page">
        <IconButton
          icon="undo"
          label="Undo"
          keys="Ctrl Z"
          isDisabled={!canUndo}
          onClick={() => undo(explorer)}
        />
        <IconButton
          icon="redo"
          label="Redo"
          keys="Ctrl Shift Z"
          isDisabled={!canRedo}
          onClick={() => redo(explorer)}
        />
        {story && (
          <IconButton
            icon="story"
            label={step < 0 ? "Read the story" : "Leave the story"}
            isOn={step >= 0}
            onClick={() => (step < 0 ? openStep(explorer, 0) : leaveStory(explorer))}
          />
        )}
        <IconButton
          icon="present"
          label="Present: picture, map and story alone"
          keys="F"
          onClick={() => setLayout(explorer, "present")}
        />
        {isLinkable && (
          <IconButton
            icon="link"
            label={isCopied ? "Link copied" : "Copy a link to this view"}
            onClick={copyLink}
          />
        )}
        <IconButton
          icon={dark ? "sun" : "moon"}
          label={dark ? "Light colours" : "Dark colours"}
          keys="D"
          onClick={() => flip(explorer, "isDark")}
        />
        <IconButton icon="help" label="Keys and help" keys="?" onClick={openHelp} />
      </div>
    </header>
  );
}
