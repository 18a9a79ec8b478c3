import { type ComponentChildren, h } from "preact";
import { useMemo } from "preact/hooks";
import snarkdown from "snarkdown";

interface Props {
  text: string;
  /** A link within the page was clicked: "#map=pca". */
  onLink(hash: string): void;
}

/** All that a caption may be made of; of other elements the text is left. */
const ALLOWED = new Set("p h3 ul ol li blockquote pre code em strong s br hr".split(" "));
const BLOCKS = new Set(["UL", "OL", "H3", "PRE", "BLOCKQUOTE", "HR"]);
const OUTSIDE = /^(https?|mailto):/i;
/** Stands for "<", so that what looks like HTML is text from the first to the last. */
const LESS = "\uE000";

/** Markdown as elements of the page: what comes of it is read in a document of its own, and made anew of what is allowed. */
export function Markdown({ text, onLink }: Props) {
  const blocks = useMemo(
    () =>
      text
        .replaceAll("<", LESS)
        .split(/\n{2,}/)
        .map(parsed),
    [text],
  );
  return <div class="zs-prose">{blocks.map((block) => paragraph(block, onLink))}</div>;
}

type OnLink = Props["onLink"];

/** An inert document: no script of it runs, and nothing is fetched. */
const parsed = (markdown: string): HTMLElement =>
  new DOMParser().parseFromString(
    snarkdown(markdown.trim()).replace(/(<\/?)h\d/g, "$1h3"),
    "text/html",
  ).body;

function paragraph(block: HTMLElement, onLink: OnLink): ComponentChildren {
  const inner = within(block, onLink);
  const isBlock = [...block.children].some(({ tagName }) => BLOCKS.has(tagName));
  return isBlock || !block.textContent ? inner : h("p", null, inner);
}

const within = (node: Node, onLink: OnLink): ComponentChildren[] =>
  Array.from(node.childNodes, (child) => made(child, onLink));

function made(node: Node, onLink: OnLink): ComponentChildren {
  if (node.nodeType === Node.TEXT_NODE) return node.textContent?.replaceAll(LESS, "<");
  if (!(node.nodeType === Node.ELEMENT_NODE)) return null;
  const element = node as Element;
  const name = element.tagName.toLowerCase();
  const inner = within(node, onLink);
  if (name === "img") return element.getAttribute("alt"); // nothing is fetched
  if (name === "a") return link(element.getAttribute("href") ?? "", inner, onLink);
  return ALLOWED.has(name) ? h(name, null, inner) : inner;
}

function link(href: string, inner: ComponentChildren[], onLink: OnLink): ComponentChildren {
  if (href.startsWith("#"))
    return (
      <button type="button" class="zs-link" onClick={() => onLink(href)}>
        {inner}
      </button>
    );
  if (!OUTSIDE.test(href)) return inner;
  return (
    <a href={href} target="_blank" rel="noopener noreferrer">
      {inner}
    </a>
  );
}
