/** The features that are a matter of methods, and no more. */
import type { Claim, Evidence } from "./dialect.ts";
import { pathsOf } from "./profile-methods.ts";

/** The first form where one of the methods is missing (or all, if `any` of them is a use), the second one elsewhere. */
interface ByMethod {
  readonly feature: string;
  readonly forms: readonly [older: string, newer: string];
  readonly methods: readonly string[];
  readonly any?: true;
}

const ABSENT_OR_OFFERED = ["absent", "offered"] as const;
const STORAGE = "ContentAddressableStorage";
const BY_METHOD: readonly ByMethod[] = [
  { feature: "asset-service", forms: ABSENT_OR_OFFERED, methods: ["Fetch/*", "Push/*"], any: true },
  { feature: "get-tree", forms: ABSENT_OR_OFFERED, methods: [`${STORAGE}/GetTree`] },
  { feature: "wait-execution", forms: ABSENT_OR_OFFERED, methods: ["Execution/WaitExecution"] },
  { feature: "write-status", forms: ABSENT_OR_OFFERED, methods: ["ByteStream/QueryWriteStatus"] },
];

/** The forms of batch-methods that are a method of their own. */
const BATCHES = { reads: `${STORAGE}/BatchReadBlobs`, updates: `${STORAGE}/BatchUpdateBlobs` };
const STREAMS = "ByteStream/Read";

/**
 * What follows for features from the methods a server has.
 * @param has Whether it has the method with this path; undefined where nobody knows.
 */
export function* methodClaims(
  has: (path: string) => boolean | undefined,
  evidence: Evidence,
): Generator<Claim> {
  for (const { feature, forms, methods, any } of BY_METHOD) {
    const there = methods.flatMap(pathsOf).map(has);
    const [older, newer] = forms;
    const lacking = any ? there.every((one) => one === false) : there.includes(false);
    const complete = any ? there.includes(true) : !there.includes(undefined);
    if (lacking) yield { feature, reads: [older], evidence };
    else if (complete) yield { feature, reads: [newer, older], evidence };
  }
  const [split, splice] = [`${STORAGE}/SplitBlob`, `${STORAGE}/SpliceBlob`].map((name) =>
    pathsOf(name).map(has).at(0),
  );
  if (split !== undefined && splice !== undefined) yield chunkingClaim(split, splice, evidence);
  const reads = batchForms((method) => pathsOf(method).map(has)[0]);
  if (reads !== null) yield { feature: "batch-methods", reads, evidence };
}

/** What follows for chunking from whether SplitBlob is there, and SpliceBlob. */
export function chunkingClaim(split: boolean, splice: boolean, evidence: Evidence): Claim {
  const forms = [
    ...(split && splice ? ["chunks"] : []),
    ...(split ? ["splits"] : []),
    ...(splice ? ["splices"] : []),
    "whole",
  ];
  return { feature: "chunking", reads: forms, evidence };
}

/** Each method by itself; null where nobody knows of either. */
function batchForms(has: (method: string) => boolean | undefined): string[] | null {
  const there = Object.entries(BATCHES).map(([form, method]) => ({ form, has: has(method) }));
  if (there.every((one) => one.has === undefined)) return null;
  const streams = has(STREAMS) === false ? [] : ["streams"];
  // Streams stand in for the method that is missing, not the other method.
  const forms = [...streams, ...there.flatMap((one) => (one.has === false ? [] : [one.form]))];
  return forms.length > 0 ? forms : ["none"];
}
