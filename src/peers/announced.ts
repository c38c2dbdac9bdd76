/** Whether a server may be one of a profile, by what it announces. */
import { enums } from "../spec/generated/enums.ts";
import { DIGEST_FUNCTIONS } from "../wire/digest-function.ts";
import type { Advertised, ApiVersion } from "./advertised.ts";
import type { ResolvedServer } from "./profile.ts";
import { isMissing } from "./profile-methods.ts";
import { compareVersions, parseVersion } from "./version-range.ts";

type Facts = ResolvedServer["facts"];

/**
 * Whether what a server announces is what the profile says that it announces. What the profile is silent about, and what only
 * configuration decides, may be anything; so may what the server has no part on, store or execution (D01).
 */
export function mayAnnounce(server: ResolvedServer, advertised: Advertised): boolean {
  const { facts } = server;
  return (
    hasWindow(facts, advertised) &&
    (!advertised.statesStore || hasStore(server, advertised)) &&
    (!advertised.statesExecution || hasExecution(server, advertised))
  );
}

/** The bounds as stated: each that is left out is not announced. */
function hasWindow({ window }: Facts, { deprecated, low, high }: Advertised): boolean {
  if (window === undefined) return true;
  const isStated = (stated: string | undefined, announced: ApiVersion | null): boolean => {
    if (stated === undefined || announced === null) return stated === undefined && announced === null;
    const { major, minor, patch, prerelease } = announced;
    return prerelease === "" && compareVersions(parseVersion(stated)!, [major, minor, patch]) === 0;
  };
  return isStated(window.deprecated, deprecated) && isStated(window.low, low) && isStated(window.high, high);
}

function hasStore(server: ResolvedServer, advertised: Advertised): boolean {
  const { compressors, batchCompressors, batchLimit, blobLimit, absoluteSymlinks, cacheWrites } =
    server.facts;
  return (
    hasFunctions(server.facts, advertised) &&
    hasCompressors(compressors, advertised.compressors) &&
    hasCompressors(batchCompressors, advertised.batchCompressors) &&
    (batchLimit === undefined || batchLimit.announced === advertised.maxBatchBytes) &&
    (blobLimit?.announced !== false || advertised.maxBlobBytes === 0) &&
    (absoluteSymlinks === undefined ||
      absoluteSymlinks.optional === true ||
      enums.SymlinkAbsolutePathStrategy[absoluteSymlinks.are] === advertised.absoluteSymlinks) &&
    isAsSaid(cacheWrites?.announced, advertised.writesResults) &&
    mayChunk(server, advertised)
  );
}

function hasExecution(server: ResolvedServer, advertised: Advertised): boolean {
  const { execution, nodePropertyNames, priorities } = server.facts;
  const names = nodePropertyNames?.of === "platform" ? undefined : nodePropertyNames?.are;
  const negative = advertised.priorities.some(({ min }) => min < 0);
  return (
    isAsSaid(execution?.offered, advertised.executes) &&
    !(advertised.executes && isMissing(server, "/build.bazel.remote.execution.v2.Execution/Execute")) &&
    (names === undefined || isSameSet(names, advertised.nodeProperties)) &&
    (priorities === undefined ||
      advertised.priorities.length === 0 ||
      negative === (priorities.are === "any"))
  );
}

function isAsSaid(said: string | undefined, announced: boolean): boolean {
  return said === (announced ? "yes" : "no") || (said !== "yes" && said !== "no");
}

/** Of those that a server has, configuration may bring some; some name a function twice. */
function hasFunctions({ digestFunctions }: Facts, { storeFunctions }: Advertised): boolean {
  if (digestFunctions === undefined) return true;
  const known = digestFunctions.are.map(
    (name) => DIGEST_FUNCTIONS.find((each) => each.name === name)!.number,
  );
  const announced = [...new Set(storeFunctions)];
  const all = announced.length > 0 && announced.every((number) => known.includes(number));
  return all && (digestFunctions.several || announced.length === 1);
}

/** Whether all functions of the profile are announced, and no others: what proves something, unlike some of them. */
export function announcesAll(
  { facts: { digestFunctions } }: ResolvedServer,
  { storeFunctions }: Advertised,
): boolean {
  const known = (digestFunctions?.are ?? []).map(
    (name) => DIGEST_FUNCTIONS.find((each) => each.name === name)!.number,
  );
  return digestFunctions?.several !== true || isSameSet(known, storeFunctions);
}

/** In the order of the profile, with any of those that are optional besides. */
function hasCompressors(fact: Facts["compressors"], announced: readonly number[]): boolean {
  if (fact === undefined) return true;
  const always = fact.are.map((name): number => enums.Compressor[name]);
  const maybe = (fact.optional ?? []).map((name): number => enums.Compressor[name]);
  const found = announced.filter((number) => always.includes(number) || !maybe.includes(number));
  return found.length === always.length && found.every((number, i) => number === always[i]);
}

/** What is announced must be there. Of servers that say nothing of both methods together, one may say it of the one it has. */
function mayChunk(server: ResolvedServer, { splits, splices }: Advertised): boolean {
  const lacks = (method: string): boolean =>
    isMissing(server, `/build.bazel.remote.execution.v2.ContentAddressableStorage/${method}`);
  if ((splits && lacks("SplitBlob")) || (splices && lacks("SpliceBlob"))) return false;
  const said = server.facts.chunking?.announced;
  if (said === "yes") return splits && splices;
  return said !== "no" || !(splits && splices);
}

function isSameSet<T>(a: readonly T[], b: readonly T[]): boolean {
  const [left, right] = [new Set(a), new Set(b)];
  return left.size === right.size && a.every((each) => right.has(each));
}
