import { usePage } from "./context";

interface Props {
  label: string;
  placeholder: string;
  onChange(index: number): void;
}

/** Chooses a class and goes back to saying what it is for. */
export function ClassSelect({ label, placeholder, onChange }: Props) {
  const { explorer } = usePage();
  const { classNames, prototypes } = explorer.manifest;
  return (
    <select
      class="zs-plain-select"
      aria-label={label}
      value=""
      onChange={(event) => {
        const index = Number(event.currentTarget.value);
        event.currentTarget.value = "";
        onChange(index);
      }}
    >
      <option value="" disabled>
        {placeholder}
      </option>
      {classNames.map(
        (name, index) =>
          prototypes!.counts[index] > 0 && <option value={String(index)}>{name}</option>,
      )}
    </select>
  );
}
