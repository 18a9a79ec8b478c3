import { usePage } from "./context";

interface Props {
  label: string;
  /** Endings and types, as a file field takes them. */
  accept: string;
  onText(text: string, name: string): void;
}

/** Reads a file that a person chooses. */
export function LoadFile({ label, accept, onText }: Props) {
  const { id } = usePage();
  const own = id(`load-${label}`.replace(/\W+/g, "-"));
  const read = async (file: File | undefined) => {
    if (file) onText(await file.text(), file.name);
  };
  return (
    <label class="zs-load" for={own}>
      {label}
      <input
        id={own}
        type="file"
        accept={accept}
        onChange={({ currentTarget: field }) => {
          void read(field.files?.[0]);
          field.value = "";
        }}
      />
    </label>
  );
}
