import { WAYS } from "../scene/manifest";
import { flip, setColor, setMap, setTold, setWay, takeTool, wayBack } from "../state/actions";
import { useCell } from "../state/cell";
import { colorChoices } from "../state/coloring";
import { pairName, pairOf } from "../state/explorer";
import { TOOLS } from "../tools/tools";
import { usePage } from "./context";
import { meaning } from "./glossary";
import { IconButton, Lines } from "./icons";
import { NeuronSelect, Select } from "./select";

export function Toolbar() {
  return (
    <div class="zs-toolbar" role="toolbar" aria-label="Map">
      <Tools />
      <MapChoice />
      <ColorChoice />
      <WayChoice />
      <ToldChoice />
      <Switches />
    </div>
  );
}

function Tools() {
  const { explorer } = usePage();
  const current = useCell(explorer.tool);
  return (
    <div class="zs-segments" role="group" aria-label="Dragging">
      {TOOLS.map(({ name, title, does, key, icon }) => (
        <button
          key={name}
          type="button"
          aria-pressed={name === current}
          title={`${title}: ${does} (${key})`}
          onClick={() => takeTool(explorer, name)}
        >
          <Lines path={icon} />
          <span>{title}</span>
        </button>
      ))}
    </div>
  );
}

const PAIR = "…pair";

function MapChoice() {
  const { explorer } = usePage();
  const { manifest, order, dim } = explorer;
  const name = useCell(explorer.map);
  const isListed = manifest.maps.some((spec) => spec.name === name);
  const pair = isListed ? null : pairOf(name, dim);
  const choose = (value: string) =>
    setMap(explorer, value === PAIR ? pairName(order[0], order[1]) : value);
  return (
    <Select
      label="Map"
      title={meaning(explorer.latentMap().label.split(" ")[0])}
      value={pair ? PAIR : name}
      onChange={choose}
    >
      {manifest.maps.map((spec) => (
        <option key={spec.name} value={spec.name}>
          {spec.label}
        </option>
      ))}
      {dim > 1 && <option value={PAIR}>Two neurons</option>}
    </Select>
  );
}

/** Which two neurons a pair map shows: on the map itself, so that the toolbar stays as it is. */
export function PairAxes() {
  const { explorer } = usePage();
  const { dim } = explorer;
  const name = useCell(explorer.map);
  const tiles = useCell(explorer.hasTiles);
  const pair = pairOf(name, dim);
  if (!pair) return null;
  const setPair = (first: number, second: number) => {
    // Choosing what the other axis has swaps the two.
    if (first === second) setMap(explorer, pairName(pair[1], pair[0]));
    else setMap(explorer, pairName(first, second));
  };
  return (
    <div class="zs-axes" role="toolbar" aria-label="Axes">
      <NeuronSelect label="Across" value={pair[0]} onChange={(first) => setPair(first, pair[1])} />
      <NeuronSelect label="Up" value={pair[1]} onChange={(second) => setPair(pair[0], second)} />
      <IconButton
        icon="tiles"
        label="Decoded pictures under the map"
        isOn={tiles}
        onClick={() => flip(explorer, "hasTiles")}
      />
    </div>
  );
}

function ColorChoice() {
  const { explorer } = usePage();
  const color = useCell(explorer.color);
  useCell(explorer.selections); // one can colour by them as soon as there are any
  return (
    <Select label="Colour" value={color} onChange={(value) => setColor(explorer, value)}>
      {colorChoices(explorer).map(({ name, title }) => (
        <option key={name} value={name}>
          {title}
        </option>
      ))}
    </Select>
  );
}

function WayChoice() {
  const { explorer } = usePage();
  useCell(explorer.map);
  useCell(explorer.way);
  return (
    <Select
      label="Decode by"
      value={wayBack(explorer)}
      title="How a place of the map is turned back into a vector, which is then decoded"
      onChange={(value) => setWay(explorer, value)}
    >
      {explorer.latentMap().inverses.map((each) => (
        <option key={each} value={each} title={`${each}: ${WAYS[each]}`}>
          {each}
        </option>
      ))}
    </Select>
  );
}

/** What pictures are decoded as, by a model that is told what they are. */
function ToldChoice() {
  const { explorer } = usePage();
  const told = useCell(explorer.told);
  const decoder = useCell(explorer.decoder);
  const { condition } = explorer.manifest;
  // Where nothing is decoded and nothing encoded, it would change nothing.
  if (!condition || (decoder && !decoder.canDecode && !decoder.canEncode)) return null;
  return (
    <Select
      label="Decode as"
      value={String(told)}
      title={`The model is told the ${condition.title} of every picture: whatever is decoded or drawn here is taken for this one`}
      onChange={(value) => setTold(explorer, Number(value))}
    >
      {condition.names.map((name, i) => (
        <option key={name} value={String(i)}>
          {condition.title} {name}
        </option>
      ))}
    </Select>
  );
}

function Switches() {
  const { explorer } = usePage();
  const contours = useCell(explorer.hasContours);
  const thumbnails = useCell(explorer.hasThumbnails);
  const names = useCell(explorer.hasNames);
  const examples = useCell(explorer.hasExamples);
  return (
    <div class="zs-switches">
      <IconButton
        icon="contours"
        label="Density contours"
        keys="C"
        isOn={contours}
        onClick={() => flip(explorer, "hasContours")}
      />
      <IconButton
        icon="thumbnails"
        label="Pictures instead of dots, where there is room"
        keys="T"
        isOn={thumbnails}
        onClick={() => flip(explorer, "hasThumbnails")}
      />
      <IconButton
        icon="names"
        label="Names where the points are densest"
        keys="L"
        isOn={names}
        onClick={() => flip(explorer, "hasNames")}
      />
      <IconButton
        icon="examples"
        label="The most central picture of each"
        keys="E"
        isOn={examples}
        onClick={() => flip(explorer, "hasExamples")}
      />
    </div>
  );
}
