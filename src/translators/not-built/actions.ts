import { of } from "../names.ts";
import type { ActionUse, FieldUse, Reject, UsedThing } from "../translator.ts";
import { findUse } from "../uses.ts";
import type { NotBuilt } from "./not-built.ts";

const V2 = "build.bazel.remote.execution.v2";
const OUTPUT_PATHS = `${V2}.Command.output_paths` as const;
const ACTION_PLATFORM = `${V2}.Action.platform` as const;

/** Field numbers of Action and Command. */
const Action = { properties: 8, platform: 10 } as const;
const Command = {
  arguments: 1,
  files: 3,
  directories: 4,
  platform: 5,
  workingDirectory: 6,
  paths: 7,
  properties: 8,
} as const;

const NO_FACTS: UsedThing = { what: "", element: null, text: null };

/** Whether a message has any of these fields, at its top and not as a 0. */
function has(message: Buffer, ...numbers: readonly number[]): boolean {
  return (
    findUse(
      message,
      numbers.map((number): FieldUse => ({ ...NO_FACTS, path: [number] })),
    ) !== null
  );
}

/** The payload of the last field with this number, or null. */
function payload(message: Buffer, number: number): Buffer | null {
  let found: Buffer | null = null;
  const holds = (bytes: Buffer): boolean => {
    found = bytes;
    return false;
  };
  findUse(message, [{ ...NO_FACTS, path: [number], holds }]);
  return found;
}

function inAction(used: ActionUse): Reject["uses"][number] {
  return { in: "action", used };
}

function samePlatform(action: Buffer, command: Buffer): boolean {
  const inAction = payload(action, Action.platform);
  const inCommand = payload(command, Command.platform);
  return inAction !== null && inCommand !== null && inAction.equals(inCommand);
}

/** Whether the Command's program is found in another place by the two rules of D39. */
function dependsOnRule(command: Buffer): boolean {
  let program = "";
  const holds = (bytes: Buffer): boolean => {
    program = bytes.toString();
    return true;
  };
  findUse(command, [{ ...NO_FACTS, path: [Command.arguments], holds }]);
  if (program.startsWith("/")) return false;
  return !program.includes("/") || (payload(command, Command.workingDirectory)?.length ?? 0) > 0;
}

const PROGRAM: ActionUse = {
  what: "A program named without a slash, or by a relative path in a working directory",
  element: null,
  text: "arguments[0]",
  found: (_, command) => dependsOnRule(command),
};

const BASE: ActionUse = {
  what: "Outputs of a command with a working directory",
  element: null,
  text: "working_directory",
  found: (_, command) =>
    (payload(command, Command.workingDirectory)?.length ?? 0) > 0 &&
    has(command, Command.files, Command.directories, Command.paths),
};

/** What an Action and its Command ask for (drift items D24 to D39, D43, D53). */
export const ACTIONS: readonly NotBuilt[] = [
  {
    id: "output-paths",
    title: "How a command declares its outputs",
    since: "2.1",
    drift: ["D24", "P20"],
    why: "A worker that does not read the list that is used ends the action well, with no outputs.",
    owns: [
      "behaviour:output-paths-replace",
      OUTPUT_PATHS,
      ...of("Command", "output_files", "output_directories"),
      ...of("ActionResult", "output_files", "output_directories"),
    ],
    older: ["lists", "output_files and output_directories"],
    newer: ["paths", "output_paths"],
    marker: OUTPUT_PATHS,
    clientAhead: {
      kind: "reject",
      code: "output-unsupported",
      has: "reads output_files and output_directories only",
      fix: "have the client declare output files and directories, or use an upstream that reads output_paths",
      uses: [
        inAction({
          what: "Command.output_paths",
          element: OUTPUT_PATHS,
          text: "output_paths",
          found: (_, command) =>
            has(command, Command.paths) && !has(command, Command.files, Command.directories),
        }),
      ],
    },
    serverAhead: {
      kind: "reject",
      code: "output-unsupported",
      has: "reads output_paths only",
      fix: "have the client declare output_paths, or use an upstream that reads the older lists",
      uses: [
        inAction({
          what: "Command.output_files or output_directories",
          element: `${V2}.Command.output_files`,
          text: "output_files",
          found: (_, command) =>
            has(command, Command.files, Command.directories) && !has(command, Command.paths),
        }),
      ],
    },
  },
  {
    id: "output-types",
    title: "Outputs of another type than declared",
    since: "2.0",
    drift: ["D26"],
    why: "One server leaves them out, another calls it an error.",
    owns: ["behaviour:wrong-type-error"],
    older: ["omitted", "they are left out"],
    newer: ["error", "they are an error"],
    marker: "behaviour:wrong-type-error",
    clientAhead: "a client misses the output itself and says so",
    serverAhead: "an error in place of an omission hides nothing",
  },
  {
    id: "output-base",
    title: "What paths of outputs are relative to",
    since: "2018-11",
    drift: ["D27"],
    why: "The worker looks for outputs in another directory.",
    owns: [
      "behaviour:working-directory-paths",
      ...of("Command", "working_directory"),
      ...of("OutputDirectory", "path"),
      ...of("OutputFile", "path"),
    ],
    older: ["input-root", "the input root"],
    newer: ["working-directory", "the working directory"],
    marker: "behaviour:working-directory-paths",
    assume: "newer",
    exclusive: true,
    clientAhead: {
      kind: "reject",
      code: "output-unsupported",
      has: "takes paths of outputs from the input root on",
      fix: "have the client run commands in the input root",
      uses: [inAction(BASE)],
    },
    serverAhead: {
      kind: "reject",
      code: "output-unsupported",
      has: "takes paths of outputs from the working directory on",
      fix: "have the client run commands in the input root",
      uses: [inAction(BASE)],
    },
  },
  {
    id: "output-parents",
    title: "Directories that lead to outputs",
    since: "2.0",
    drift: ["D28"],
    why: "Older workers do not create them.",
    owns: ["behaviour:output-parents"],
    older: ["left", "the command creates them"],
    newer: ["created", "the worker creates them"],
    marker: "behaviour:output-parents",
    clientAhead: "a command that needs a directory fails by itself and says which",
    serverAhead: "directories too many matter to no known command",
  },
  {
    id: "output-nesting",
    title: "Outputs within output directories",
    since: "2018-11",
    drift: ["D29"],
    why: "The oldest servers do not take them.",
    owns: ["behaviour:nested-outputs"],
    older: ["forbidden", "no output within another"],
    newer: ["allowed", "outputs may lie within output directories"],
    marker: "behaviour:nested-outputs",
    clientAhead: "a server that does not take them says so",
    serverAhead: "outputs that do not nest are taken everywhere",
  },
  {
    id: "input-symlinks",
    title: "Symlinks in inputs",
    since: "2.2",
    drift: ["D34", "D35", "P14"],
    why: "Servers differ in which targets and names they take.",
    owns: [
      "behaviour:lenient-symlink-targets",
      "behaviour:case-only-names",
      ...of("Directory", "symlinks"),
      ...of("SymlinkNode", "name", "target"),
      ...of("CacheCapabilities", "symlink_absolute_path_strategy"),
      ...of("SymlinkAbsolutePathStrategy.Value", "UNKNOWN", "DISALLOWED", "ALLOWED"),
    ],
    older: ["strict", "targets in canonical form"],
    newer: ["lenient", "targets as they are"],
    marker: "behaviour:lenient-symlink-targets",
    clientAhead: "a server that does not take a target says so",
    serverAhead: "canonical targets are taken everywhere",
  },
  {
    id: "action-platform",
    title: "Where the platform stands",
    since: "2.2",
    drift: ["D36"],
    why: "A server that does not look there runs the action anywhere, and keeps the wrong result.",
    owns: ["behaviour:platform-from-action", ACTION_PLATFORM, ...of("Command", "platform")],
    older: ["command", "Command.platform"],
    newer: ["action", "Action.platform"],
    marker: ACTION_PLATFORM,
    clientAhead: {
      kind: "reject",
      code: "platform-unsupported",
      has: "reads Command.platform only",
      fix: "have the client set the platform of the Command as well, or use an upstream that reads Action.platform",
      uses: [
        inAction({
          what: "Action.platform without the same platform in the Command",
          element: ACTION_PLATFORM,
          text: "platform",
          found: (action, command) => has(action, Action.platform) && !samePlatform(action, command),
        }),
      ],
    },
    serverAhead: {
      kind: "reject",
      code: "platform-unsupported",
      has: "reads Action.platform only",
      fix: "have the client set the platform of the Action as well, or use an upstream that reads Command.platform",
      uses: [
        inAction({
          what: "Command.platform without a platform in the Action",
          element: `${V2}.Command.platform`,
          text: "platform",
          found: (action, command) => has(command, Command.platform) && !has(action, Action.platform),
        }),
      ],
    },
  },
  {
    id: "platform-lexicon",
    title: "Names and values of platform properties",
    since: "2.0",
    drift: ["D37", "P11"],
    why: "Servers call the same thing by different names.",
    owns: [
      "behaviour:platform-lexicon",
      "behaviour:platform-case",
      ...of("Platform", "properties", "Property.name", "Property.value"),
    ],
    older: ["own", "names of the server's own"],
    newer: ["agreed", "the names of the lexicon"],
    marker: "behaviour:platform-lexicon",
    clientAhead: "a server without a worker for a property says so",
    serverAhead: "a server without a worker for a property says so",
  },
  {
    id: "salt",
    title: "A salt for the action cache",
    since: "2.2",
    drift: ["D38"],
    why: "It separates entries that must not be shared.",
    owns: of("Action", "salt"),
    older: ["none", "no salt"],
    newer: ["salt", "Action.salt"],
    marker: `${V2}.Action.salt`,
    clientAhead: "it changes the digest of the action, and thereby does its work on any server",
    serverAhead: "an action without salt is one like any other",
  },
  {
    id: "argv0",
    title: "How the program of a command is found",
    since: "2.3",
    drift: ["D39"],
    why: "The two rules find different programs, or none.",
    owns: ["behaviour:argv0", ...of("Command", "arguments")],
    older: ["input-root", "a path from the input root, no search"],
    newer: ["working-directory", "a path from the working directory, or a search in PATH"],
    // Most servers worked by the newer rule before it was written down: a level proves nothing.
    marker: null,
    assume: "newer",
    exclusive: true,
    clientAhead: {
      kind: "reject",
      code: "action-unsupported",
      has: "looks for programs in the input root",
      fix: "have the client name the program by an absolute path",
      uses: [inAction(PROGRAM)],
    },
    serverAhead: {
      kind: "reject",
      code: "action-unsupported",
      has: "looks for programs in the working directory and in PATH",
      fix: "have the client name the program by an absolute path",
      uses: [inAction(PROGRAM)],
    },
  },
  {
    id: "uncached-actions",
    title: "Actions that are not to be cached",
    since: "2.0",
    drift: ["D43"],
    why: "An older server may merge two runs of one action.",
    owns: [
      "behaviour:no-merging",
      ...of("Action", "do_not_cache"),
      ...of("ExecuteRequest", "skip_cache_lookup"),
    ],
    older: ["merged", "two at one time may be run once"],
    newer: ["apart", "each is run"],
    marker: "behaviour:no-merging",
    clientAhead: "each caller gets the result of a run of its action; nothing is cached",
    serverAhead: "to run an action twice does no harm",
  },
];
