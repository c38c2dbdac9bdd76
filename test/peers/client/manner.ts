/** From what a client decided to how it works. */
import { MAX_BATCH_BYTES, type Manner, mannerOf, OVERHEAD_BYTES } from "../../../src/client/manner.ts";
import type { ResolvedClient } from "../../../src/peers/profile.ts";
import { NEWEST } from "../../../src/spec/versions.ts";
import { useOf } from "./calls.ts";
import type { Forms } from "./forms.ts";
import type { Judgement } from "./judge.ts";

/** The manner of a client, except for methods that turn out to be missing. */
export function playedManner(client: ResolvedClient, judged: Judgement, forms: Forms): Manner {
  const { facts } = client;
  const level = facts.level?.is ?? NEWEST;
  const writes = (feature: keyof Forms, form: string) => forms[feature].writes.includes(form);
  const reads = (feature: keyof Forms, form: string) => forms[feature].reads.includes(form);
  const uses = (method: string) => useOf(client, method) !== "none";
  const { digestFunction, compressor, batchBytes } = judged;
  const base = mannerOf(level);
  return {
    ...base,
    digestFunction,
    compressor,
    namesFunction: writes("digest-function-field", "set"),
    // The first seven are never named, so a client that writes either form leaves them out.
    functionSegment:
      writes("resource-names", "extended") && !(writes("resource-names", "plain") && digestFunction.implicit),
    batches: {
      update: writes("batch-methods", "updates") && uses("ContentAddressableStorage/BatchUpdateBlobs"),
      read: writes("batch-methods", "reads") && uses("ContentAddressableStorage/BatchReadBlobs"),
      maxBytes: batchBytes > 0 ? batchBytes : (facts.batchLimit?.unstated ?? MAX_BATCH_BYTES),
      overheadBytes: facts.batchLimit?.counts === "blobs" ? 0 : OVERHEAD_BYTES,
    },
    mostDigests:
      facts.findMissing?.divided === false
        ? Number.POSITIVE_INFINITY
        : (facts.batchLimit?.mostDigests ?? base.mostDigests),
    committedSize: facts.committedSize?.takes ?? base.committedSize,
    outputs: outputsOf(forms["output-paths"].writes),
    directoryFormat: formatOf(forms["output-directory-format"].writes),
    platform: !writes("action-platform", "action")
      ? "command"
      : writes("action-platform", "command")
        ? "both"
        : "action",
    programsFrom: writes("argv0", "input-root") ? "input-root" : "working-directory",
    outputsFrom: writes("output-base", "input-root") ? "input-root" : "working-directory",
    nodeProperties: {
      form: forms["node-properties"].writes[0] as Manner["nodeProperties"]["form"],
      names: facts.nodeAttributes?.asked ?? [],
    },
    emptyBlob: writes("empty-blob", "stored") && !writes("empty-blob", "implied"),
    reads: {
      symlinks: symlinksRead(forms["output-symlinks"].reads, outputsOf(forms["output-paths"].writes)),
      directories: (["directory", "tree"] as const).filter((form) => reads("output-directory-format", form)),
    },
    looksUp: uses("ActionCache/GetActionResult"),
    cacheErrorsFatal: facts.cacheErrors?.fatal ?? false,
    waits: facts.waitExecution?.used ?? uses("Execution/WaitExecution"),
    missing: {
      uploadsAgain: facts.missingInputs?.from !== "nothing",
      shortSubjects: facts.missingInputs?.subject === "short",
      otherTypesFatal: facts.missingInputs?.otherTypes === "fatal",
    },
  };
}

/** A client that prefers the newer list has no need of the older ones; one that prefers those adds it for newer servers. */
function outputsOf(writes: readonly string[]): Manner["outputs"] {
  if (writes[0] === "paths") return "paths";
  return writes.includes("paths") ? "all" : "lists";
}

/** Only a client that is known to write no trees asks for another format. */
function formatOf(writes: readonly string[]): Manner["directoryFormat"] {
  return writes.includes("tree") ? null : "directory";
}

/** One that goes by how it declared its outputs, or of which is known only that it is content with both, reads the list for that. */
function symlinksRead(reads: readonly string[], outputs: Manner["outputs"]): Manner["reads"]["symlinks"] {
  if (reads.every((form) => form === "none")) return [];
  const lists = (["typed", "unified"] as const).filter((list) => reads.includes(list));
  const declared = reads.includes("declared") && lists.length < 2;
  if (lists.length > 0 && !declared) return lists;
  return outputs === "lists" ? ["typed"] : ["unified"];
}
