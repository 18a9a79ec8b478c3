// @vitest-environment happy-dom
import { render } from "preact";
import { expect, it } from "vitest";
import { Markdown } from "../src/panels/markdown";

function shown(text: string, clicked: string[] = []): HTMLElement {
  const host = document.createElement("div");
  render(<Markdown text={text} onLink={(hash) => clicked.push(hash)} />, host);
  return host.firstElementChild as HTMLElement;
}

it("has paragraphs, emphasis, lists, code and quotes", () => {
  const { innerHTML } = shown(
    "One *two* **three** `z < 3`.\n\nFour\n\n- five\n- six\n\n## Seven\n\n> eight",
  );
  expect(innerHTML).toBe(
    "<p>One <em>two</em> <strong>three</strong> <code>z &lt; 3</code>.</p><p>Four</p>" +
      "<ul><li>five</li><li>six</li></ul><h3>Seven</h3><blockquote>eight</blockquote>",
  );
});

it.each([
  "<script>alert(1)</script>",
  "<img src=x onerror=alert(1)>",
  '<b onclick="x">bold</b>',
  "`<iframe src=x>`",
  "- <svg/onload=alert(1)>",
  "&lt;script&gt;",
])("shows HTML as text: %s", (text) => {
  const prose = shown(text);
  expect(prose.querySelector("script, img, b, iframe, svg")).toBe(null);
  expect(prose.textContent).toContain("<");
});

it.each([
  "[a](javascript:alert(1))",
  "[a](JaVaScRiPt:alert)",
  "[a](data:text/html,x)",
  "[a](//evil.example)",
  "[a](java\nscript:x)",
])("leads nowhere by %j", (text) => {
  expect(shown(text).querySelector("a, button")).toBe(null);
});

it("leads out of the page to plain addresses, and within it to views", () => {
  const clicked: string[] = [];
  const prose = shown("[out](https://example.org/?a=b) and [in](#map=pca&row=3)", clicked);
  const [out] = prose.querySelectorAll("a");
  expect([out.getAttribute("href"), out.rel]).toEqual([
    "https://example.org/?a=b",
    "noopener noreferrer",
  ]);
  prose.querySelector("button")!.click();
  expect(clicked).toEqual(["#map=pca&row=3"]);
});

it("fetches no picture", () => {
  const prose = shown("![a seven](https://example.org/7.png)");
  expect(prose.querySelector("img")).toBe(null);
  expect(prose.textContent).toBe("a seven");
});
