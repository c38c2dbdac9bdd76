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

/** By level; the codes of a server as its profile states them. */
export function supportOf(facts: PeerFacts): Support | null {
  const { role, level } = facts;
  const codes = role === "server" ? codesOf(facts as PeerFacts<"server">) : null;
  if (level === null) return codes;
  const has = knows(level.value, ELEMENT);
  const reads = has ? ["chunks", "splits", "splices", "whole"] : ["whole"];
  const { evidence } = level;
  if (role === "client")
    return has ? { reads, writes: ["chunks", "whole"], evidence } : { reads, writes: reads, evidence };
  return { reads, writes: codes?.writes ?? reads.slice(0, 1), evidence };
}

function codesOf({ facts }: PeerFacts<"server">): Support | null {
  const { unknownManifest, missingChunk, evidence } = facts?.chunking ?? {};
  const other = [unknownManifest, missingChunk].some((code) => code !== undefined && code !== "NOT_FOUND");
  if (!other) return null;
  const note = `chunking: ${evidence}`;
  return { reads: ["whole"], writes: ["other-codes"], evidence: { source: "profile", note } };
}
