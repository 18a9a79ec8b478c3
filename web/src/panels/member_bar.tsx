import { useEffect, useState } from "preact/hooks";
import type { Members } from "../scene/manifest";
import { membersHere, setMember } from "../state/actions_members";
import { useCell } from "../state/cell";
import { number } from "../state/origin";
import { usePage } from "./context";
import { IconButton } from "./icons";

/** What a member is called: "epoch 2.5", "Weight of the KL 4". */
export function memberName({ by, list }: Members, member: number): string {
  const { label } = list[member]!;
  return by === "kld_weight" || by === "latent_dim" ? `${TITLES[by]} ${label}` : label;
}

/** From one moment to the next; the points take nearly as long to travel. */
const STEP_MS = 700;
const TITLES: Record<string, string> = {
  training: "Moment of the training",
  kld_weight: "Weight of the KL",
  latent_dim: "Latent neurons",
  model: "Model",
};

/** The slider over the members of the scene, with what each costs as a curve along it. */
export function MemberBar() {
  const { explorer, beside, toggleBeside } = usePage();
  const member = useCell(explorer.member);
  const isDouble = useCell(beside);
  const [isPlaying, setPlaying] = useState(false);
  const members = explorer.scene.about;
  const here = membersHere(explorer);
  const at = here.indexOf(member);
  const go = (index: number): void => setMember(explorer, here[index]!);
  useEffect(() => {
    if (!isPlaying) return;
    const timer = setTimeout(() => {
      if (at + 1 < here.length) go(at + 1);
      else setPlaying(false);
    }, STEP_MS);
    return () => clearTimeout(timer);
  }, [isPlaying, member]);
  if (!members) return null;
  const { label, loss } = members.list[member]!;
  const title = TITLES[members.by] ?? "Images";
  const cost = loss === null ? "" : `${number(loss, 1)} nats`;
  const isBare = here.length < 3;
  return (
    <div class="zs-members" role="group" aria-label={title}>
      {!isBare && (
        <IconButton
          icon={isPlaying ? "pause" : "play"}
          label={isPlaying ? "Stop" : "Play"}
          onClick={() => {
            if (!isPlaying && at + 1 === here.length) go(0);
            setPlaying(!isPlaying);
          }}
        />
      )}
      <p class="zs-member" data-testid="member">
        <strong>{memberName(members, member)}</strong>
        <span class="zs-muted">{cost}</span>
      </p>
      {!isBare && (
        <div class="zs-scrubber">
          <Curve losses={here.map((k) => members.list[k]!.loss)} at={at} />
          <input
            type="range"
            min={0}
            max={here.length - 1}
            step={1}
            value={at}
            aria-label={title}
            aria-valuetext={cost ? `${label}, ${cost} per image` : label}
            onInput={(event) => {
              setPlaying(false);
              go(Number(event.currentTarget.value));
            }}
          />
        </div>
      )}
      <button type="button" aria-pressed={isDouble} onClick={toggleBeside}>
        {isDouble ? "One map" : "Compare"}
      </button>
    </div>
  );
}

const HEIGHT = 34;

/** Losses from the left to the right, the lowest at the bottom; nothing where they are not known. */
function Curve({ losses, at }: { losses: readonly (number | null)[]; at: number }) {
  const known = losses.filter((loss) => loss !== null);
  if (known.length < losses.length || losses.length < 2) return null;
  const [low, high] = [Math.min(...known), Math.max(...known)];
  const x = (k: number) => (100 * k) / (losses.length - 1);
  const y = (loss: number) => 3 + ((HEIGHT - 6) * (high - loss)) / (high - low || 1);
  const line = known.map((loss, k) => `${x(k)},${y(loss)}`).join(" ");
  return (
    <svg
      class="zs-curve"
      viewBox={`0 0 100 ${HEIGHT}`}
      preserveAspectRatio="none"
      aria-hidden="true"
    >
      <polyline points={line} vector-effect="non-scaling-stroke" />
      <line x1={x(at)} x2={x(at)} y1={0} y2={HEIGHT} vector-effect="non-scaling-stroke" />
    </svg>
  );
}
