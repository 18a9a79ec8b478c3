/** Line icons of 20 by 20. */
const PATHS = {
  contours:
    "M10 10m-2 0a2 2 0 1 0 4 0a2 2 0 1 0-4 0M5.500 10c0-3 2-5 5-4.800s4.500 2 4.200 5s-2 4.700-4.800 4.500S5.500 13 5.500 10M2.500 10.500C2 5.500 6 2 10.500 2.300s7.300 3.400 7 8-3.400 7.600-7.600 7.400S3 14.500 2.500 10.500",
  thumbnails:
    "M3 3h5.500v5.500H3zM11.500 3H17v5.500h-5.500zM3 11.500h5.500V17H3zM11.500 11.500H17V17h-5.500z",
  tiles: "M3 3h14v14H3zM3 7.700h14M3 12.300h14M7.700 3v14M12.300 3v14",
  names: "M2.500 10V4a1.500 1.500 0 0 1 1.500-1.500h6L17.500 10 10 17.500zM6.300 6.300h.4",
  examples: "M3 3h14v14H3zM3 13.500l4-4 3.500 3.500 2.500-2.500 4 4M13 7h.4",
  svg: "M7 6L3 10l4 4M13 6l4 4-4 4M11 4.500L9 15.500",
  fit: "M3 7V3h4M13 3h4v4M17 13v4h-4M7 17H3v-4",
  save: "M10 3v10M6 9.200l4 4 4-4M3.500 17h13",
  plus: "M10 4v12M4 10h12",
  minus: "M4 10h12",
  undo: "M7 4L3 8l4 4M3 8h8.500a4.500 4.500 0 0 1 0 9H8",
  redo: "M13 4l4 4-4 4M17 8H8.500a4.500 4.500 0 0 0 0 9H12",
  moon: "M16.500 12A7 7 0 0 1 8 3.500a7 7 0 1 0 8.500 8.500z",
  sun: "M10 10m-3.500 0a3.500 3.500 0 1 0 7 0a3.500 3.500 0 1 0-7 0M10 1.500v2M10 16.500v2M1.500 10h2M16.500 10h2M4 4l1.400 1.400M14.600 14.600L16 16M16 4l-1.400 1.400M5.400 14.600L4 16",
  help: "M7 7.500a3 3 0 1 1 4.300 2.700c-.9.5-1.300 1-1.300 2.100M10 15.300v.4",
  close: "M5 5l10 10M15 5L5 15",
  play: "M6 4l10 6-10 6z",
  pause: "M7 4v12M13 4v12",
  link: "M8.500 11.500a3.300 3.300 0 0 0 4.700 0l2.800-2.800a3.300 3.300 0 0 0-4.700-4.700l-1 1M11.500 8.500a3.300 3.300 0 0 0-4.700 0L4 11.300A3.300 3.300 0 0 0 8.700 16l1-1",
  before: "M12 4l-6 6 6 6",
  after: "M8 4l6 6-6 6",
  up: "M4 12l6-6 6 6",
  down: "M4 8l6 6 6-6",
  story:
    "M10 5.500C8 4 5.500 3.500 2.500 3.500V15c3 0 5.500.5 7.500 2 2-1.500 4.500-2 7.500-2V3.500c-3 0-5.500.5-7.500 2zM10 5.500V17",
  present: "M2.500 3.500h15M4 3.500v9h12v-9M10 12.500v4M7 17h6",
  more: "M12 3h5v5M17 3l-6 6M8 17H3v-5M3 17l6-6",
} as const;

export type IconName = keyof typeof PATHS;

export const Icon = ({ name }: { name: IconName }) => <Lines path={PATHS[name]} />;

/** An icon of lines in a square of 20 by 20, as SVG has them. */
export function Lines({ path }: { path: string }) {
  return (
    <svg class="zs-icon" viewBox="0 0 20 20" aria-hidden="true" focusable="false">
      <path d={path} />
    </svg>
  );
}

interface IconButtonProps {
  icon: IconName;
  label: string;
  onClick(): void;
  /** Of a switch: whether it is on. */
  isOn?: boolean;
  isDisabled?: boolean;
  keys?: string;
}

export function IconButton({ icon, label, onClick, isOn, isDisabled, keys }: IconButtonProps) {
  return (
    <button
      type="button"
      class="zs-icon-button"
      aria-label={label}
      title={keys ? `${label} (${keys})` : label}
      {...(isOn === undefined ? {} : { "aria-pressed": isOn })}
      disabled={isDisabled ?? false}
      onClick={onClick}
    >
      <Icon name={icon} />
    </button>
  );
}
