import { posix } from "node:path";
import { textIn, textsOf } from "../wire/fields.ts";
import { CommandField, OUTPUT_LISTS, sortedTexts } from "./action-messages.ts";
import { assumed, byLevel, pass } from "./declare.ts";
import { fromInputRoot } from "./input-root-paths.ts";
import type { ActionEdit, ActionMessages, Pair, Translator } from "./translator.ts";

const MORE = pass(
  "the server makes directories that the client did not count on; they matter to no known command",
);

/**
 * The directories that lead to outputs (D28). Since 2.0 the worker makes them; before, the command had to. For such a server they are put into the input root
 * where they are missing.
 */
export const outputParents: Translator = {
  feature: {
    id: "output-parents",
    title: "Directories that lead to outputs",
    since: "2.0",
    drift: ["D28"],
    why: "Older workers do not create them.",
    forms: { left: "the command creates them", created: "the worker creates them" },
  },
  owns: ["behaviour:output-parents"],
  after: ["output-base", "output-nesting"],
  clientAhead: "the directories that are missing are put into the input root",
  serverAhead: `passes: ${MORE.why}`,
  support: byLevel({
    element: "behaviour:output-parents",
    without: { reads: ["left"], writes: ["left"] },
    with: { reads: ["created", "left"], writes: ["created"] },
  }),
  assume: { client: assumed(["created", "left"], ["created"]), server: assumed(["left"], ["left"]) },
  toServer: {
    created: { left: { kind: "translate", content: { action: parents } } },
    left: { created: MORE },
  },
  toClient: pass("what was there before a command ran does not show in its result"),
};

/** The Command has its paths as the server reads them by now. Those that leave the input root are the server's to refuse. */
function parents({ command }: ActionMessages, _: unknown, { server }: Pair): ActionEdit | null {
  const isFromRoot = server.features["output-base"]?.reads.includes("working-directory") === false;
  const base = isFromRoot ? "" : textIn(command, CommandField.workingDirectory);
  const directories = OUTPUT_LISTS.flatMap((list) => textsOf(command, list)).flatMap((path) => {
    const fromRoot = fromInputRoot(base, path);
    const parent = fromRoot === null ? "." : posix.dirname(fromRoot);
    return parent === "." ? [] : [parent];
  });
  return directories.length === 0 ? null : { directories: sortedTexts(directories) };
}
