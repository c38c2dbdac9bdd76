import type { Option } from "./options.ts";
import { ValueError } from "./value-error.ts";

/** One value as text, and who gave it: a flag, a variable, or a place in the file. */
export interface Source {
  readonly text: string;
  readonly where: string;
}

/** What `read` makes of a text. A text that is no such value is added to `problems`, as a sentence, and is undefined. */
export function parsed<T>(read: (text: string) => T, source: Source, problems: string[]): T | undefined {
  try {
    return read(source.text);
  } catch (error) {
    if (!(error instanceof ValueError)) throw error;
    problems.push(error.sentence(source.where, source.text));
    return undefined;
  }
}

/** The value of an option, a list if it is one; what is wrong is added to `problems`. */
export function parseOption(option: Option, sources: readonly Source[], problems: string[]): unknown {
  const values = sources.map((source) => parsed((text) => option.kind.parse(text), source, problems));
  return option.list ? values : values[0];
}

/** What an option is when nobody gives it. */
export function defaultOf(option: Option): Source[] | undefined {
  return option.default === undefined ? undefined : [{ text: option.default, where: "" }];
}
