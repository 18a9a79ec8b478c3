/** Reading JSON nobody vouches for: every step says where it is and what it wants. */
import { SceneError } from "./source";

/** A value and where it was found, such as `maps[1].unit`. */
export class Checker {
  constructor(
    readonly value: unknown,
    readonly where: string,
  ) {}

  fail(allowed: string): never {
    throw new SceneError(
      `This scene is damaged: ${this.where} must be ${allowed}; it is ${shown(this.value)}.`,
    );
  }

  object(): Record<string, unknown> {
    if (typeof this.value !== "object" || this.value === null || Array.isArray(this.value)) {
      this.fail("an object");
    }
    return this.value as Record<string, unknown>;
  }

  at(key: string): Checker {
    return new Checker(this.object()[key], this.where ? `${this.where}.${key}` : key);
  }

  isNull(): boolean {
    return this.value === null || this.value === undefined;
  }

  list(length?: number): Checker[] {
    if (!Array.isArray(this.value)) this.fail("a list");
    const items = this.value as unknown[];
    if (length !== undefined && items.length !== length) {
      throw new SceneError(
        `This scene is damaged: ${this.where} must have ${length} entries; it has ${items.length}.`,
      );
    }
    return items.map((item, i) => new Checker(item, `${this.where}[${i}]`));
  }

  string(): string {
    if (typeof this.value !== "string") this.fail("text");
    return this.value as string;
  }

  boolean(): boolean {
    if (typeof this.value !== "boolean") this.fail("true or false");
    return this.value as boolean;
  }

  number(): number {
    if (typeof this.value !== "number" || !Number.isFinite(this.value))
      this.fail("a finite number");
    return this.value as number;
  }

  integer(low: number, high: number): number {
    const { value } = this;
    if (!Number.isInteger(value) || (value as number) < low || (value as number) > high) {
      this.fail(`an integer in [${low}, ${high}]`);
    }
    return value as number;
  }

  oneOf(choices: readonly string[]): string {
    if (!choices.includes(this.value as string)) this.fail(`one of ${choices.join(", ")}`);
    return this.value as string;
  }
}

function shown(value: unknown): string {
  if (value === undefined) return "missing";
  if (typeof value === "object" && value !== null)
    return Array.isArray(value) ? "a list" : "an object";
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
