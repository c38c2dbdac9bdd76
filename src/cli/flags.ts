import { type ParseArgsOptionDescriptor, parseArgs } from "node:util";
import { didYouMean } from "../config/did-you-mean.ts";
import { type Flag, type GivenFlags, UsageError } from "./command.ts";

/** The flag every command has. */
export const HELP_FLAG: Flag = { name: "help", help: "Show this help" };

type Token = NonNullable<ReturnType<typeof parseArgs>["tokens"]>[number];
type OptionToken = Extract<Token, { kind: "option" }>;

function checkedValue(flag: Flag, token: OptionToken): string {
  const { rawName, value, inlineValue } = token;
  if (flag.value === undefined) {
    if (value === undefined || value === "true" || value === "false") return value ?? "true";
    throw new UsageError(`${rawName}: is a switch and takes no value but true or false (got "${value}")`);
  }
  const needs = `${rawName}: needs a value: ${rawName} ${flag.value}`;
  if (value === undefined || value === "") throw new UsageError(needs);
  // "--upstream --listen x" forgot the value; "--upstream=--x" means it.
  if (value.startsWith("-") && inlineValue !== true) throw new UsageError(`${needs} (got "${value}")`);
  if (flag.accepts !== undefined && !flag.accepts.includes(value)) {
    const hint = didYouMean(value, flag.accepts);
    throw new UsageError(`${rawName}: must be one of ${flag.accepts.join(", ")} (got "${value}")${hint}`);
  }
  return value;
}

function descriptor(flag: Flag): ParseArgsOptionDescriptor {
  if (flag === HELP_FLAG) return { type: "boolean", short: "h" };
  return { type: flag.value === undefined ? "boolean" : "string" };
}

/**
 * Reads the arguments of a command; `-h` and `--help` are always known. Throws `UsageError` for a flag that does not
 * exist (with the one that was probably meant), one without its value, one given twice, or an argument that is no flag.
 */
export function parseFlags(args: readonly string[], flags: readonly Flag[]): GivenFlags {
  const known = new Map([...flags, HELP_FLAG].map((flag) => [flag.name, flag]));
  const options = Object.fromEntries([...known].map(([name, flag]) => [name, descriptor(flag)]));
  const { tokens } = parseArgs({ args: [...args], options, strict: false, tokens: true });
  const given = new Map<string, string[]>();
  for (const token of tokens) {
    if (token.kind === "positional") throw new UsageError(`unexpected argument "${token.value}"`);
    if (token.kind === "option-terminator") continue;
    const flag = known.get(token.name);
    if (flag === undefined) {
      const hint = didYouMean(
        token.rawName,
        [...known.keys()].map((name) => `--${name}`),
      );
      throw new UsageError(`${token.rawName}: there is no such flag${hint}`);
    }
    const values = given.get(flag.name) ?? [];
    if (values.length > 0 && !flag.repeatable) throw new UsageError(`${token.rawName}: is given twice`);
    given.set(flag.name, [...values, checkedValue(flag, token)]);
  }
  return given;
}
