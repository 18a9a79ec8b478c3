/** Points chosen by a sentence about their values: `area > 30 and treatment = B`. */
import { type CategoryColumn, type Column, isMissing, type NumberColumn } from "./columns";
import { dateOf } from "./dates";
import type { Explorer } from "./explorer";

/** What is wrong with a gate, as a sentence for whoever typed it. */
export class GateError extends Error {}

type Test = (row: number) => boolean;
interface Token {
  text: string;
  /** "text" was quoted, and is no keyword. */
  kind: "word" | "text" | "sign" | "end";
}

const SIGNS = ["<=", ">=", "!=", "==", "<", ">", "=", "~", "(", ")", ","];
const COMPARISONS = new Set(["<=", ">=", "!=", "==", "<", ">", "=", "~"]);
const KEYWORDS = new Set(["and", "or", "not", "in"]);
const MISSING = "missing";

/**
 * Rows of which the gate is true, ascending.
 *
 * Comparisons `=  !=  <  <=  >  >=`, `~` (has the text in it) and `in (a, b)` of a column, `class`, `error`, `kl`, a
 * neuron (`z3`) or `index`, joined by `and`, `or`, `not` and parentheses. Names and values with signs in them stand in
 * quotes. What is missing is `missing`, and makes every other comparison false.
 *
 * @throws GateError
 */
export function rowsOfGate(explorer: Explorer, gate: string): number[] {
  const test = new Parser(explorer, tokens(gate)).whole();
  const rows: number[] = [];
  for (let row = 0; row < explorer.n; row++) if (test(row)) rows.push(row);
  return rows;
}

/** What a gate can ask for by name, made when it does: a table of 64 neurons is large. */
export function gateFields(explorer: Explorer): Map<string, () => Column> {
  const { facets, columns, mu, dim, n, indices, manifest } = explorer;
  const numbers = (name: string, valueAt: (row: number) => number) => (): NumberColumn => ({
    ...{ name, title: name, kind: "number", missing: 0, isWhole: false, unit: "day" },
    values: Float64Array.from({ length: n }, (_, row) => valueAt(row)),
  });
  const fields = new Map<string, () => Column>();
  for (const column of [...columns, ...facets.values()]) fields.set(column.name, () => column);
  manifest.neurons.forEach(({ name }, i) => {
    fields.set(
      name,
      numbers(name, (row) => mu[row * dim + i]),
    );
  });
  if (!fields.has("index"))
    fields.set(
      "index",
      numbers("index", (row) => indices[row]),
    );
  return fields;
}

function tokens(gate: string): Token[] {
  const found: Token[] = [];
  for (let at = 0; at < gate.length; ) {
    const rest = gate.slice(at);
    const quoted = /^(["'`])(.*?)\1/.exec(rest);
    const sign = SIGNS.find((each) => rest.startsWith(each));
    const word = /^[^\s"'`<>=!~(),]+/.exec(rest);
    if (/^\s/.test(rest)) at++;
    else if (quoted) {
      found.push({ text: quoted[2], kind: "text" });
      at += quoted[0].length;
    } else if (sign) {
      found.push({ text: sign, kind: "sign" });
      at += sign.length;
    } else if (word) {
      found.push({ text: word[0], kind: "word" });
      at += word[0].length;
    } else throw new GateError(`There is a ${rest[0]} without its other half.`);
  }
  return found;
}

class Parser {
  private at = 0;
  private readonly fields: ReadonlyMap<string, () => Column>;

  constructor(
    explorer: Explorer,
    private readonly tokens: readonly Token[],
  ) {
    this.fields = gateFields(explorer);
  }

  whole(): Test {
    if (!this.tokens.length) throw new GateError("Type a condition, such as error > 30.");
    const test = this.either();
    if (this.next.kind !== "end")
      throw new GateError(`Expected “and” or “or” before “${this.next.text}”.`);
    return test;
  }

  private get next(): Token {
    return this.tokens[this.at] ?? { text: "the end", kind: "end" };
  }

  /** Takes the next token if it is this keyword or sign. */
  private takes(text: string): boolean {
    const { next } = this;
    const is = next.kind !== "text" && next.kind !== "end" && next.text.toLowerCase() === text;
    if (is) this.at++;
    return is;
  }

  private either(): Test {
    let test = this.both();
    while (this.takes("or")) {
      const [left, right] = [test, this.both()];
      test = (row) => left(row) || right(row);
    }
    return test;
  }

  private both(): Test {
    let test = this.one();
    while (this.takes("and")) {
      const [left, right] = [test, this.one()];
      test = (row) => left(row) && right(row);
    }
    return test;
  }

  private one(): Test {
    if (this.takes("not")) {
      const test = this.one();
      return (row) => !test(row);
    }
    if (!this.takes("(")) return this.comparison();
    const test = this.either();
    if (!this.takes(")")) throw new GateError(`Expected “)” before ${named(this.next)}.`);
    return test;
  }

  private comparison(): Test {
    const column = this.column(this.phrase("a column").text);
    if (this.takes("in")) return this.among(column);
    const { text: sign } = this.next;
    if (this.next.kind !== "sign" || !COMPARISONS.has(sign))
      throw new GateError(`Expected a comparison such as = or > after “${column.name}”.`);
    this.at++;
    return compared(column, sign, this.phrase("a value"));
  }

  private among(column: Column): Test {
    if (!this.takes("(")) throw new GateError("Expected “(” after “in”, as in class in (3, 5).");
    const tests: Test[] = [];
    do tests.push(compared(column, "=", this.phrase("a value")));
    while (this.takes(","));
    if (!this.takes(")")) throw new GateError(`Expected “)” before ${named(this.next)}.`);
    return (row) => tests.some((test) => test(row));
  }

  /** One quoted text, or words up to a sign or a keyword. */
  private phrase(what: string): Token {
    const { next } = this;
    if (next.kind === "text") {
      this.at++;
      return next;
    }
    const words: string[] = [];
    while (this.next.kind === "word" && !KEYWORDS.has(this.next.text.toLowerCase())) {
      words.push(this.next.text);
      this.at++;
    }
    if (!words.length) throw new GateError(`Expected ${what} before ${named(this.next)}.`);
    return { text: words.join(" "), kind: "word" };
  }

  private column(name: string): Column {
    const { fields } = this;
    const names = [...fields.keys()];
    const alike = names.find((each) => each.toLowerCase() === name.toLowerCase());
    const made = fields.get(name) ?? fields.get(alike ?? "");
    if (made) return made();
    throw new GateError(`There is no column “${name}”; there are ${some(names)}.`);
  }
}

const named = ({ text, kind }: Token): string => (kind === "end" ? text : `“${text}”`);

const MOST_NAMED = 12;
const some = (names: readonly string[]): string =>
  names.slice(0, MOST_NAMED).join(", ") + (names.length > MOST_NAMED ? ", …" : "");

function compared(column: Column, sign: string, value: Token): Test {
  if (value.kind === "word" && value.text.toLowerCase() === MISSING) {
    const wants = sign === "=" || sign === "==";
    if (!wants && sign !== "!=") throw new GateError("“missing” goes with = and != only.");
    return (row) => isMissing(column, row) === wants;
  }
  if (column.kind === "category") return ofCategory(column, sign, value.text);
  if ("texts" in column) return ofText(column.texts, column.name, sign, value.text);
  return ofNumber(column, sign, value.text);
}

function ofNumber(column: NumberColumn, sign: string, text: string): Test {
  const { kind, name } = column;
  const wanted = kind === "date" ? dateOf(text) : Number(text.replace("−", "-"));
  if (Number.isNaN(wanted)) {
    const what = kind === "date" ? "a date such as 2024-03-05" : "a number";
    throw new GateError(`“${name}” is compared with ${what}; “${text}” is none.`);
  }
  const { values } = column;
  switch (sign) {
    case "<":
      return (row) => values[row] < wanted;
    case "<=":
      return (row) => values[row] <= wanted;
    case ">":
      return (row) => values[row] > wanted;
    case ">=":
      return (row) => values[row] >= wanted;
    case "!=":
      return (row) => values[row] < wanted || values[row] > wanted;
    case "~":
      throw new GateError(`“${name}” has numbers, which have no text in them; use = or >.`);
    default:
      return (row) => values[row] === wanted;
  }
}

function ofCategory({ codes, categories, name }: CategoryColumn, sign: string, text: string): Test {
  const lower = text.toLowerCase();
  if (sign === "~") {
    const has = categories.map((each) => each.toLowerCase().includes(lower));
    return (row) => has[codes[row]] === true;
  }
  const exact = categories.indexOf(text);
  const wanted = exact >= 0 ? exact : categories.findIndex((each) => each.toLowerCase() === lower);
  if (wanted < 0)
    throw new GateError(`“${name}” has no value “${text}”; it has ${some(categories)}.`);
  switch (sign) {
    case "=":
    case "==":
      return (row) => codes[row] === wanted;
    case "!=":
      return (row) => codes[row] !== wanted && codes[row] in categories;
    default:
      throw new GateError(`“${name}” has no order; compare it with =, != or in.`);
  }
}

function ofText(texts: readonly (string | null)[], name: string, sign: string, text: string): Test {
  const lower = text.toLowerCase();
  switch (sign) {
    case "~":
      return (row) => texts[row]?.toLowerCase().includes(lower) === true;
    case "=":
    case "==":
      return (row) => texts[row] === text;
    case "!=":
      return (row) => texts[row] !== null && texts[row] !== text;
    default:
      throw new GateError(`“${name}” is text; compare it with =, != or ~ (has in it).`);
  }
}
