/** The forms of chunking, and who has which. */
import type { PeerFacts, Support } from "../../peers/dialect.ts";
import { knows } from "../../spec/ledger.ts";
import { SPLICE_BLOB, SPLIT_BLOB } from "../methods.ts";
import type { Feature } from "../translator.ts";

const ELEMENT = "build.bazel.remote.execution.v2.ContentAddressableStorage.SplitBlob";

/** The feature with its forms. */
export const FEATURE: Feature = {
  id: "chunking",
  title: "Blobs in chunks: SplitBlob and SpliceBlob",
  since: "2.12",
  drift: ["D22", "P05", "P18"],
  why: "A client that relies on it cannot store or read large blobs.",
  forms: {
    whole: "blobs are stored whole",
    splits: "SplitBlob alone",
    splices: "SpliceBlob alone",
    chunks: "SplitBlob and SpliceBlob",
    unnamed: "SpliceBlob may leave out the digest of the blob, as in drafts",
    "other-codes": "both, and what is missing, or was never cut, ends in other codes than NOT_FOUND",
  },
  mistakes: ["unnamed"],
};

/** All forms, by name. */
export const FORMS = Object.keys(FEATURE.forms);

/** Which forms say that a method is there. */
const WITH: Readonly<Record<string, readonly string[]>> = {
  [SPLIT_BLOB]: ["splits", "chunks"],
  [SPLICE_BLOB]: ["splices", "chunks"],
};

/** Whether a server that reads these forms has the method. */
export function hasMethod(reads: readonly string[], method: string): boolean {
  return reads.some((form) => WITH[method]?.includes(form));
}

/** By what a profile says, else by level. */
export function supportOf(facts: PeerFacts): Support | null {
  return facts.role === "client"
    ? ofClient(facts as PeerFacts<"client">)
    : ofServer(facts as PeerFacts<"server">);
}

const READS = ["chunks", "splits", "splices", "whole"];

/** A client may have chunks long before it follows the level that has them. */
function ofClient({ level, facts }: PeerFacts<"client">): Support | null {
  const { rules, evidence } = facts?.chunking ?? {};
  const chunks: Omit<Support, "evidence"> = { reads: READS, writes: ["chunks", "whole"] };
  const whole: Omit<Support, "evidence"> = { reads: ["whole"], writes: ["whole"] };
  if (rules !== undefined) {
    const note = `chunking: ${evidence}`;
    return { ...(rules.length > 0 ? chunks : whole), evidence: { source: "profile", note } };
  }
  if (level === null) return null;
  return { ...(knows(level.value, ELEMENT) ? chunks : whole), evidence: level.evidence };
}

function ofServer({ level, facts }: PeerFacts<"server">): Support | null {
  const { unknownManifest, missingChunk, evidence } = facts?.chunking ?? {};
  const isOther = [unknownManifest, missingChunk].some((code) => code !== undefined && code !== "NOT_FOUND");
  const reads = level !== null && knows(level.value, ELEMENT) ? READS : ["whole"];
  if (isOther) {
    const note = `chunking: ${evidence}`;
    return { reads, writes: ["other-codes"], evidence: { source: "profile", note } };
  }
  return level === null ? null : { reads, writes: reads.slice(0, 1), evidence: level.evidence };
}
