/** Words a beginner may not know, in a sentence each. */
const WORDS = {
  nats: "A measure of information, as bits are: 1 nat is 1.44 bits. A picture that costs 30 nats more is e³⁰ times less expected.",
  KL: "Kullback–Leibler divergence, in nats: how much a neuron tells about a picture; near 0 it tells nothing.",
  "t-SNE":
    "A map that keeps neighbours together. Distances between far groups, and the sizes of groups, mean little.",
  UMAP: "A map that keeps neighbours together, and more of the large shape than t-SNE. Distances between far groups mean little.",
  PCA: "A map that is a shadow: the straight view in which the vectors spread most. Distances are true, as far as the shadow shows them.",
  "d′": "How far the means of two sets lie apart, in standard deviations within them. 0: no difference; 1: a threshold would tell two of three right; 3: more than nine in ten.",
  "Cohen’s h":
    "How far two shares lie apart, on a scale like that of d′: 0.2 is small, 0.5 seen with the naked eye, 0.8 large.",
  posterior:
    "What the encoder says of one picture: not a point but a cloud, a mean and a spread for each neuron.",
  prior:
    "What vectors are like before any picture is seen: a cloud around 0, of width 1 along each neuron.",
  decode: "To turn a vector into a picture, by the second half of the network.",
  vector: "The few numbers, one per neuron, that stand for a picture.",
} as const;

export type Word = keyof typeof WORDS;

export const meaning = (word: string): string => WORDS[word as Word] ?? "";

/** A word that says what it means under the pointer, and to whoever tabs to it. */
export function Term({ name, text = name }: { name: Word; text?: string }) {
  return (
    <button type="button" class="zs-term" aria-label={`${text}: ${WORDS[name]}`}>
      <dfn>{text}</dfn>
      <span class="zs-meaning" role="tooltip">
        {WORDS[name]}
      </span>
    </button>
  );
}

/** All of them. */
export function Glossary() {
  return (
    <dl class="zs-glossary">
      {Object.entries(WORDS).map(([word, meaning]) => (
        <div key={word}>
          <dt>{word}</dt>
          <dd>{meaning}</dd>
        </div>
      ))}
    </dl>
  );
}
