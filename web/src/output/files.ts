/** Hands a file to the person, and text to the clipboard. */

/** The name of a file about a scene, without what some system forbids. */
export const fileName = (title: string, what: string): string =>
  `${title.replace(/[^\w.-]+/g, "-")}-${what}`;

export function download(name: string, content: Blob): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** Whether it worked: pages without a secure origin have no clipboard. */
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyBySelection(text);
  }
}

function copyBySelection(text: string): boolean {
  const area = document.createElement("textarea");
  area.value = text;
  area.style.position = "fixed";
  area.style.opacity = "0";
  const focused = document.activeElement as HTMLElement | null;
  document.body.append(area);
  area.select();
  const isDone = document.execCommand?.("copy") ?? false;
  area.remove();
  focused?.focus?.();
  return isDone;
}
