import { of } from "../names.ts";
import type { ActionUse, FieldUse, Reject, UsedThing } from "../translator.ts";
import { findUse } from "../uses.ts";
import type { NotBuilt } from "./not-built.ts";

const V2 = "build.bazel.remote.execution.v2";
const OUTPUT_PATHS = `${V2}.Command.output_paths` as const;

/** Field numbers of Command. */
const Command = { files: 3, directories: 4, paths: 7 } as const;

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

function inAction(used: ActionUse): Reject["uses"][number] {
  return { in: "action", used };
}

/** What an Action and its Command ask for (drift items D24, D26, D29). */
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
];
