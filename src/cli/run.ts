import { didYouMean } from "../config/did-you-mean.ts";
import { type Command, type CommandContext, UsageError } from "./command.ts";
import { COMMAND_NAMES, loadCommand } from "./commands.ts";
import { exitCodeOf } from "./exit-code.ts";
import { parseFlags } from "./flags.ts";
import { helpText } from "./help.ts";

/** What the program is run with, besides its arguments. */
export interface Surroundings extends Omit<CommandContext, "flags"> {
  /** Writes text for people to the standard error, as it is. */
  printError(text: string): void;
}

const DEFAULT = COMMAND_NAMES[0]!;

function unknownCommand(name: string): UsageError {
  const looksLikeAddress = /[:./]/.test(name);
  const hint = looksLikeAddress
    ? `; to bridge to a server: --upstream ${name}`
    : didYouMean(name, COMMAND_NAMES);
  return new UsageError(
    `there is no command "${name}"${hint || `; commands are ${COMMAND_NAMES.join(", ")}`}`,
  );
}

async function help(command: Command): Promise<string> {
  if (command.name !== DEFAULT) return helpText(command, []);
  const others = await Promise.all(COMMAND_NAMES.slice(1).map(loadCommand));
  return helpText(
    command,
    others.filter((other) => other !== undefined),
  );
}

/** `help X` is `X --help`, and `--version` is `version`: what people try first. */
function normalised(argv: readonly string[]): readonly string[] {
  if (argv[0] === "help") return [...argv.slice(1), "--help"];
  return argv[0] === "--version" ? ["version", ...argv.slice(1)] : argv;
}

/** How to ask for the help that fits a command line starting with `first`. */
function helpWords(first: string | undefined): string {
  const others = COMMAND_NAMES.slice(1);
  return first !== undefined && others.includes(first) ? `${first} --help` : "--help";
}

async function runCommand(argv: readonly string[], around: Surroundings): Promise<number> {
  const [first, ...rest] = normalised(argv);
  const named = first !== undefined && !first.startsWith("-");
  const command = await loadCommand(named ? first : DEFAULT);
  if (command === undefined) throw unknownCommand(first!);
  const flags = parseFlags(named || first === undefined ? rest : [first, ...rest], command.flags);
  if (!flags.has("help")) return command.run({ ...around, flags });
  around.print(await help(command));
  return 0;
}

/** Runs the program with its arguments to the end and returns its exit code; every error has been told by then. */
export async function run(argv: readonly string[], around: Surroundings): Promise<number> {
  try {
    return await runCommand(argv, around);
  } catch (error) {
    const code = exitCodeOf(error);
    if (code === undefined) {
      around.printError(
        `reapi-bridge: this should not have happened: ${(error as Error)?.stack ?? String(error)}\n`,
      );
      return 1;
    }
    const { message } = error as Error;
    const lines = message.split("\n").map((line) => `reapi-bridge: ${line}\n`);
    const hint = error instanceof UsageError ? `Try: reapi-bridge ${helpWords(argv[0])}\n` : "";
    around.printError(lines.join("") + hint);
    return code;
  }
}
