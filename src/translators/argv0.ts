import { messageIn, payloadsOf, textIn, withPayloads } from "../wire/fields.ts";
import { Walker, WireType } from "../wire/walker.ts";
import { ActionField, CommandField, quoted } from "./action-messages.ts";
import { assumed, pass } from "./declare.ts";
import { fromInputRoot, fromWorkingDirectory } from "./input-root-paths.ts";
import { of } from "./names.ts";
import { propertiesOf } from "./platform-properties.ts";
import { refusalOf } from "./refusal.ts";
import type { ActionEdit, ActionMessages, Pair, Reject, Translator } from "./translator.ts";

/** Looks a name up in the PATH of the command, as the newer rule does, and becomes what it finds. */
const ENV = "/usr/bin/env";

const FROM_ROOT = {
  code: "action-unsupported",
  has: "looks for programs in the input root",
  fix: "have the client name the program by an absolute path, or by one within the input root",
} as const;

const FROM_WORKING_DIRECTORY = {
  code: "action-unsupported",
  has: "looks for programs in the working directory and in PATH",
  fix: "have the client name the program by an absolute path, or require argv0 in the policy: then it is named so that it is found, and sees another argv[0]",
} as const;

/** What may run another program than the one that is meant, unless it is renamed, which the program itself can see. */
const UNLESS_REQUIRED: Reject = {
  kind: "reject",
  ...FROM_WORKING_DIRECTORY,
  uses: [
    {
      in: "action",
      used: {
        what: "A program named without a slash, or by a relative path in a working directory",
        element: null,
        text: "arguments[0]",
        found: (_, command) => renamed(command) !== null,
      },
    },
  ],
};

/**
 * How the program of a command is found (D39): from the input root, or since 2.3 from the working directory or in PATH. Most servers worked by the newer
 * rule before it was written down, so that no level tells: only a profile does. The other rule gets the path that leads to the same program.
 */
export const argv0: Translator = {
  feature: {
    id: "argv0",
    title: "How the program of a command is found",
    since: "2.3",
    drift: ["D39"],
    why: "The two rules find different programs, or none.",
    forms: {
      "input-root": "a path from the input root, no search",
      "working-directory": "a path from the working directory, or a search in PATH",
    },
  },
  owns: ["behaviour:argv0", ...of("Command", "arguments")],
  after: ["platform-lexicon"],
  clientAhead:
    "a path is written as it is from the input root, and /usr/bin/env looks up a bare name; what has no such form is refused",
  serverAhead:
    "what finds another program is refused; with the policy `require` the path is written as it is from the working directory",
  support: () => null,
  assume: {
    client: assumed(["working-directory"], ["working-directory"]),
    server: assumed(["working-directory"], ["working-directory"]),
  },
  toServer: {
    "working-directory": { "input-root": { kind: "translate", content: { action: forInputRoot } } },
    "input-root": {
      "working-directory": {
        kind: "translate",
        content: { action: forWorkingDirectory },
        optIn: UNLESS_REQUIRED,
      },
    },
  },
  toClient: pass("no response names a program"),
};

function forInputRoot(given: ActionMessages, _: unknown, pair: Pair): ActionEdit | null {
  const { command } = given;
  const [program, ...others] = payloadsOf(command, CommandField.arguments);
  const name = programOf(command);
  if (name === "" || isAbsolute(name)) return null;
  const refuse = (what: string) =>
    refusalOf(argv0, FROM_ROOT, "working-directory", { what, element: null, text: "arguments[0]" }, pair);
  if (!name.includes("/")) {
    if (name.startsWith("-") || name.includes("=") || isForWindows(given))
      throw refuse(`The program ${quoted(name)}, to be looked up in PATH,`);
    return withArguments(command, [Buffer.from(ENV), program!, ...others]);
  }
  const base = textIn(command, CommandField.workingDirectory);
  if (base === "") return null;
  const path = fromInputRoot(base, name);
  if (path === null) throw refuse(`The program ${quoted(name)}, outside of the input root,`);
  if (withSlash(path) === name) return null;
  return withArguments(command, [Buffer.from(withSlash(path)), ...others]);
}

function forWorkingDirectory({ command }: ActionMessages, _: unknown, pair: Pair): ActionEdit | null {
  const program = renamed(command);
  if (program === null) return null;
  const { name, path } = program;
  if (path === null) {
    const what = `The program ${quoted(name)}, outside of the input root,`;
    const used = { what, element: null, text: "arguments[0]" };
    throw refusalOf(argv0, FROM_WORKING_DIRECTORY, "input-root", used, pair);
  }
  const [, ...others] = payloadsOf(command, CommandField.arguments);
  return withArguments(command, [Buffer.from(path), ...others]);
}

/**
 * A program named from the input root, and its path from the working directory; a null path for one outside of the input root. Null where both rules find
 * the same program.
 */
function renamed(command: Buffer): { readonly name: string; readonly path: string | null } | null {
  const name = programOf(command);
  if (name === "" || isAbsolute(name)) return null;
  const base = textIn(command, CommandField.workingDirectory);
  if (base === "" && name.includes("/")) return null;
  const path = fromInputRoot("", name);
  const workingDirectory = fromInputRoot("", base);
  if (path === null || workingDirectory === null) return { name, path: null };
  const renamedTo = withSlash(fromWorkingDirectory(workingDirectory, path));
  return renamedTo === name ? null : { name, path: renamedTo };
}

/** The first argument alone is looked at; empty where there is none. */
function programOf(command: Buffer): string {
  const field = new Walker(command);
  while (field.next())
    if (field.number === CommandField.arguments && field.wireType === WireType.LEN) return field.text();
  return "";
}

/** A path that nobody takes for a name to search for. */
function withSlash(path: string): string {
  return path.includes("/") ? path : `./${path}`;
}

function isAbsolute(program: string): boolean {
  return program.startsWith("/") || /^[A-Za-z]:[\\/]/.test(program);
}

/** Workers with another system than POSIX have no {@link ENV}. */
function isForWindows({ action, command }: ActionMessages): boolean {
  const platform = messageIn(action, ActionField.platform) ?? messageIn(command, CommandField.platform);
  return propertiesOf(platform ?? Buffer.alloc(0)).some(
    ({ name, value }) => name.toLowerCase() === "osfamily" && value.toLowerCase() === "windows",
  );
}

function withArguments(command: Buffer, values: readonly Buffer[]): ActionEdit {
  return { command: withPayloads(command, new Map([[CommandField.arguments, values]])) };
}
