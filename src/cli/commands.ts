import type { Command } from "./command.ts";

/** How each command is loaded: only the one that runs is, as some bring much code with them. The first is the default. */
const LOADERS: Readonly<Record<string, () => Promise<{ command: Command }>>> = {
  serve: () => import("./commands/serve.ts"),
  check: () => import("./commands/check.ts"),
  embedded: () => import("./commands/embedded.ts"),
  explain: () => import("./commands/explain.ts"),
  demo: () => import("./commands/demo.ts"),
  version: () => import("./commands/version.ts"),
};

/** The names of all commands, the default first. */
export const COMMAND_NAMES: readonly string[] = Object.keys(LOADERS);

/** The command of that name, or undefined. */
export async function loadCommand(name: string): Promise<Command | undefined> {
  return Object.hasOwn(LOADERS, name) ? (await LOADERS[name]!()).command : undefined;
}
