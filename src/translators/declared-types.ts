/** Outputs that are not what the typed lists declare them to be (D26). */
import type { BridgeError } from "../spec/bridge-error.ts";
import { quoted } from "./action-messages.ts";
import type { OutputLists } from "./declared-outputs.ts";
import { type Output, Outputs } from "./output-links.ts";
import { outputTypes } from "./output-types.ts";
import { refusalOf } from "./refusal.ts";
import type { Pair } from "./translator.ts";

/**
 * Those of `outputs` that the client must not get: of another type than `declared`. In 2018-11 they were left out; since 2.0 they are an error, and known
 * servers of those lists make them one. Links are of any type, and so is a path that is in both lists.
 * @throws BridgeError for the first, if the client's rule is the later one; that is supposed of clients that nobody knows.
 */
export function ofWrongType(outputs: readonly Output[], declared: OutputLists, pair: Pair): Output[] {
  const wrong = outputs.filter((output) => declaredType(output, declared) !== null);
  const [first] = wrong;
  const { reads } = pair.client.features["output-types"] ?? outputTypes.assume.client;
  if (first !== undefined && reads.includes("error"))
    throw typeRefusal(first.path, declaredType(first, declared)!, pair);
  return wrong;
}

/** What an output should have been; null if nothing else than it is. */
function declaredType({ path, number }: Output, { files, directories }: OutputLists) {
  if (number === Outputs.directories && files.has(path) && !directories.has(path)) return "file";
  if (number === Outputs.files && directories.has(path) && !files.has(path)) return "directory";
  return null;
}

function typeRefusal(path: string, declared: "file" | "directory", pair: Pair): BridgeError {
  const [list, other, found] =
    declared === "file"
      ? (["output_files", "output_directories", "directory"] as const)
      : (["output_directories", "output_files", "file"] as const);
  return refusalOf(
    outputTypes,
    {
      code: "output-unsupported",
      has: "was asked for whatever is there, while a server of these lists would have ended in an error",
      fix: `have the client declare it in ${other}, or in output_paths`,
    },
    "error",
    {
      what: `A ${found} as the output ${quoted(path)} of ${list}`,
      element: `build.bazel.remote.execution.v2.Command.${list}`,
      text: list,
    },
    pair,
  );
}
