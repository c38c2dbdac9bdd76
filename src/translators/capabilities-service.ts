import type { PeerFacts } from "../peers/dialect.ts";
import { parseVersion, type Version } from "../peers/version-range.ts";
import { codec } from "../spec/codec.ts";
import { safeBatchLimit } from "./announce/batch-limit.ts";
import { assumed, pass } from "./declare.ts";
import { EXECUTE, FETCH_BLOB, FIND_MISSING_BLOBS, GET_CAPABILITIES } from "./methods.ts";
import { of } from "./names.ts";
import type { Feature, Pair, Reject, Translator } from "./translator.ts";

const V2 = "build.bazel.remote.execution.v2";
const METHOD = `${V2}.Capabilities.GetCapabilities` as const;

/** Values of Compressor.Value and SymlinkAbsolutePathStrategy.Value. */
const COMPRESSORS = { IDENTITY: 0, ZSTD: 1, DEFLATE: 2, BROTLI: 3 } as const;
const DISALLOWED = 1;
const ALLOWED = 2;

/** All that the range of an int32 holds, and the half from 0 on. */
const PRIORITIES = {
  any: { minPriority: -(2 ** 31), maxPriority: 2 ** 31 - 1 },
  "not-negative": { minPriority: 0, maxPriority: 2 ** 31 - 1 },
} as const;

const FEATURE: Feature = {
  id: "capabilities-service",
  title: "The Capabilities service",
  since: "2018-11",
  drift: ["D01"],
  why: "Without it clients do not know what they may use, and most of them stop.",
  forms: {
    unknown: "the server does not have the service, and what it has is not known",
    absent: "the server does not have the service, its profile tells what it has",
    offered: "the server answers GetCapabilities",
  },
};

const NOT_KNOWN: Reject = {
  kind: "reject",
  code: "method-unsupported",
  has: "does not have it, and what it has is not known",
  fix: "name the server's profile, with its digest functions, in the configuration of the bridge",
  uses: [
    {
      in: "call",
      methods: [GET_CAPABILITIES],
      used: { what: "The method GetCapabilities", element: METHOD, text: null },
    },
  ],
};

const NOT_ASKED = pass("a client that does not ask for capabilities needs no answer");

/**
 * The Capabilities service (D01). For a server without it the answer is made of its profile: of what the profile says the server has whatever its
 * configuration. Only execution is announced where configuration may bring it: a server that was set up without it says so itself when it is
 * called, but a client that is told so stops at once. A server whose digest functions are not known gets no answer, since there is none that
 * would be true.
 *
 * A server that has the service but describes only one half of it, as servers may since 2.0, is passed on as it is: what the other half is, it
 * cannot know either.
 */
export const capabilitiesService: Translator = {
  feature: FEATURE,
  owns: [
    "behaviour:partial-capabilities",
    ...of("Capabilities", "GetCapabilities"),
    ...of("GetCapabilitiesRequest", "instance_name"),
    ...of("ServerCapabilities", "cache_capabilities", "execution_capabilities"),
  ],
  after: [],
  clientAhead: "the answer is made of the server's profile; without one the call is refused",
  serverAhead: "passes: a client that does not ask for capabilities needs no answer",
  support,
  assume: {
    client: assumed(["offered", "absent", "unknown"], ["offered"]),
    server: assumed(["offered", "absent", "unknown"], ["offered"]),
  },
  toServer: {
    unknown: { absent: NOT_ASKED, offered: NOT_ASKED },
    absent: { unknown: NOT_ASKED, offered: NOT_ASKED },
    offered: {
      absent: { kind: "translate", methods: { [GET_CAPABILITIES]: { answer } } },
      unknown: NOT_KNOWN,
    },
  },
  toClient: pass("what a server does not answer, the bridge does in its place"),
};

/** What a probe, a profile or configuration says of the method; no level ever lacked it. */
function support({ role, missingMethods, digestFunctions, facts }: PeerFacts) {
  if (role !== "server" || !missingMethods.includes(GET_CAPABILITIES)) return null;
  const note = "it is known to lack GetCapabilities";
  const server = { missingMethods, digestFunctions, facts: (facts ?? {}) as KnownServer["facts"] };
  const form = isKnown(server) ? "absent" : "unknown";
  return { reads: [form], writes: [form], evidence: { source: "profile", note } } as const;
}

type KnownServer = Pick<Pair["server"], "missingMethods" | "digestFunctions" | "facts">;

/** Whether enough is known to answer. Of a server of assets only, that neither part is there is all of it. */
function isKnown(server: KnownServer): boolean {
  const { digestFunctions, missingMethods } = server;
  const { stores, executes } = partsOf(server);
  if (stores || executes) return digestFunctions.length > 0;
  return (
    [FIND_MISSING_BLOBS, EXECUTE].every((path) => missingMethods.includes(path)) &&
    !missingMethods.includes(FETCH_BLOB)
  );
}

function partsOf({ missingMethods, facts }: KnownServer) {
  const { offered = "no" } = facts.execution ?? {};
  return {
    stores: !missingMethods.includes(FIND_MISSING_BLOBS),
    executes: !missingMethods.includes(EXECUTE) && offered !== "no",
  };
}

async function answer(
  _first: Buffer,
  _requests: AsyncIterable<Buffer>,
  _call: unknown,
  { server }: Pair,
): Promise<AsyncIterable<readonly Buffer[]>> {
  const { stores, executes } = partsOf(server);
  const capabilities = codec().encode(`${V2}.ServerCapabilities`, {
    ...(stores && { cacheCapabilities: cachePart(server) }),
    ...(executes && { executionCapabilities: executionPart(server) }),
    ...versions(server.facts.window),
  });
  return (async function* () {
    yield [capabilities];
  })();
}

function cachePart({ digestFunctions, facts }: Pair["server"]) {
  const { compressors, batchCompressors, absoluteSymlinks, cacheWrites } = facts;
  const numbers = (names: readonly (keyof typeof COMPRESSORS)[] = []) =>
    names.map((name) => COMPRESSORS[name]);
  return {
    digestFunctions: [...digestFunctions],
    actionCacheUpdateCapabilities: { updateEnabled: cacheWrites?.announced === "yes" },
    maxBatchTotalSizeBytes: BigInt(safeBatchLimit(facts)),
    ...(absoluteSymlinks !== undefined && {
      symlinkAbsolutePathStrategy: allowsSymlinks(absoluteSymlinks) ? ALLOWED : DISALLOWED,
    }),
    supportedCompressors: numbers(compressors?.are),
    supportedBatchUpdateCompressors: numbers(batchCompressors?.are),
  };
}

/** Where configuration may say the other, the stricter one holds for all. */
function allowsSymlinks({
  are,
  optional,
}: NonNullable<Pair["server"]["facts"]["absoluteSymlinks"]>): boolean {
  return are === "ALLOWED" && optional !== true;
}

function executionPart({ digestFunctions, facts }: Pair["server"]) {
  const range = facts.priorities === undefined ? null : PRIORITIES[facts.priorities.are];
  return {
    digestFunction: digestFunctions[0]!,
    digestFunctions: [...digestFunctions],
    execEnabled: true,
    ...(range !== null && { executionPriorityCapabilities: { priorities: [range] } }),
  };
}

/** The versions a profile states. What it leaves out is for the window of the pair. */
function versions(window: Pair["server"]["facts"]["window"]) {
  const { deprecated, low, high } = window ?? {};
  return {
    ...(deprecated !== undefined && { deprecatedApiVersion: semVer(deprecated) }),
    ...(low !== undefined && { lowApiVersion: semVer(low) }),
    ...(high !== undefined && { highApiVersion: semVer(high) }),
  };
}

function semVer(text: string) {
  const [major = 0, minor = 0, patch = 0]: Version = parseVersion(text) ?? [];
  return { major, minor, patch };
}
