/** One flag of a command. `--name VALUE` and `--name=VALUE` are the same. */
export interface Flag {
  /** Without the dashes. */
  readonly name: string;
  /** What stands for the value in help (`HOST:PORT`); a flag without one is a switch, which also takes `=true` and `=false`. */
  readonly value?: string;
  /** One line for help: what it does, and what it is when left out. */
  readonly help: string;
  /** The only values it takes. */
  readonly accepts?: readonly string[];
  /** May be given several times. */
  readonly repeatable?: boolean;
  /** The heading under which help lists it; flags of a group stand together. */
  readonly group?: string;
}

/** The flags that were given, by name; a switch that is on has the value `true`, one that was turned off `false`. */
export type GivenFlags = ReadonlyMap<string, readonly string[]>;

/** What a command runs with. */
export interface CommandContext {
  readonly flags: GivenFlags;
  /** The environment; commands read it nowhere else. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Writes text for people to the standard output, as it is. */
  print(text: string): void;
  /** Aborted at the first SIGTERM or SIGINT: time to finish. */
  readonly stop: AbortSignal;
}

/** A subcommand of `reapi-bridge`. */
export interface Command {
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** Opens the command's own `--help`: what it does, what to know before, a minimal run. */
  readonly about: string;
  readonly flags: readonly Flag[];
  /**
   * Runs to its end (or until `stop`) and returns the exit code.
   * Throws `UsageError` for values that cannot be, `StartError` for what the operator can mend; anything else is a defect.
   */
  run(context: CommandContext): Promise<number>;
}

/** A command line that cannot be run. The message says what is wrong and what is accepted. Ends with exit code 2. */
export class UsageError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "UsageError";
  }
}
