import type { BridgeError } from "../../spec/bridge-error.ts";
import { refusalOf } from "../refusal.ts";
import type { Feature, Pair } from "../translator.ts";

const V2 = "build.bazel.remote.execution.v2";

/** What `output-paths` is about. */
export const OUTPUT_PATHS: Feature = {
  id: "output-paths",
  title: "How a command declares its outputs",
  since: "2.1",
  drift: ["D24"],
  why: "A worker that does not read the list that is used ends the action well, with no outputs.",
  forms: {
    lists: "output_files and output_directories",
    paths: "output_paths",
    each: "all three lists, each for itself: what several of them name is returned several times",
  },
};

/** The refusal of `output_paths` that a server of the lists cannot be asked for: `used` says which. */
export function pathsRefusal(used: string, pair: Pair): BridgeError {
  return refusalOf(
    { feature: OUTPUT_PATHS },
    {
      code: "output-unsupported",
      has: "reads output_files and output_directories only, so that the directories around outputs have to be captured",
      fix: "change that path, or use an upstream that reads output_paths, as those of API 2.1 do",
    },
    "paths",
    { what: used, element: `${V2}.Command.output_paths`, text: "output_paths" },
    pair,
  );
}
