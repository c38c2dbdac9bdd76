/** Why a text is not a value of its kind, as the end of a sentence that starts with the option's name: `must be …`, `names no port`. */
export class ValueError extends Error {
  private readonly hint: string;

  /** `hint` is what may have been meant, as `didYouMean` says it. */
  constructor(message: string, hint = "") {
    super(message);
    this.name = "ValueError";
    this.hint = hint;
  }

  /** The whole sentence: where the value stands, what is wrong with it, the value itself, and the hint. */
  sentence(where: string, got: unknown): string {
    return `${where}: ${this.message} (got ${quoted(got)})${this.hint}`;
  }
}

/** A value as messages quote it. */
export function quoted(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}
