import type { PeerFacts, Support } from "../peers/dialect.ts";
import { makeTree } from "../tree/tree-message.ts";
import { Walker, WireType } from "../wire/walker.ts";
import { outputDirectory } from "./cut-outputs.ts";
import { assumed, pass } from "./declare.ts";
import { declaredBy } from "./declared-outputs.ts";
import { type Output, ResultOutputs } from "./output-links.ts";
import type { Edit, Originals, Translator } from "./translator.ts";

/**
 * Declared directories that a well ended action did not make, or of which a server says nothing as they are empty (bazelbuild/bazel#28286). A client to
 * which a missing output is the end gets an empty directory, if the operator wants that: it hides actions that did not do what they should. What
 * output_paths names may have been meant to be a file, and is not touched.
 */
export const emptyOutputDirectories: Translator = {
  feature: {
    id: "empty-output-directories",
    title: "Output directories that are not there",
    since: "quirk",
    drift: ["D24", "D26"],
    why: "Some clients end a build over a directory that holds nothing.",
    forms: {
      absent: "what is not there is not in the result",
      empty:
        "a directory of output_directories is in the result of an action that went well, with an empty Tree if it is not there",
    },
  },
  owns: [],
  after: ["output-directory-format"],
  clientAhead:
    "by policy, directories of output_directories that a result lacks are added to it as empty ones",
  serverAhead: "passes: a client reads empty directories as any others",
  support,
  assume: {
    client: assumed(["absent", "empty"], ["absent"]),
    server: assumed(["absent", "empty"], ["absent"]),
  },
  toServer: pass("no request has it"),
  toClient: {
    absent: {
      empty: {
        kind: "translate",
        content: { result: withEmpty },
        optIn: "the client says itself which output it misses",
      },
    },
    empty: { absent: pass("an empty directory is a directory") },
  },
};

function support({ role, facts }: PeerFacts): Support | null {
  const stated = role === "client" ? (facts as PeerFacts<"client">["facts"])?.results : undefined;
  if (stated?.missingOutputs === undefined) return null;
  return {
    reads: stated.missingOutputs === "fatal" ? ["empty"] : ["absent", "empty"],
    writes: ["absent"],
    evidence: { source: "profile", note: stated.evidence },
  };
}

async function withEmpty(result: Buffer, originals: Originals): Promise<Edit> {
  const command = endedWell(result) ? await originals.command() : null;
  const outputs = new ResultOutputs(result);
  const missing = [...declaredBy(command).directories].filter((path) => !outputs.has(path));
  if (missing.length === 0) return null;
  const tree = await originals.derive("empty tree", async () => {
    const { bytes } = makeTree(Buffer.alloc(0), () => Buffer.alloc(0));
    const digest = originals.digestOf(bytes);
    return { value: digest, blobs: [{ digest, bytes }] };
  });
  return outputs.edited(missing.map((path): Output => outputDirectory(path, tree)));
}

function endedWell(result: Buffer): boolean {
  let exitCode = 0;
  const field = new Walker(result);
  while (field.next())
    if (field.number === EXIT_CODE && field.wireType === WireType.VARINT) exitCode = field.int32();
  return exitCode === 0;
}

/** The number of ActionResult.exit_code. */
const EXIT_CODE = 4;
