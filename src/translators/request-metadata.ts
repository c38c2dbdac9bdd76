import type { Evidence, PeerFacts, Support } from "../peers/dialect.ts";
import { knows } from "../spec/ledger.ts";
import { decodeBinaryHeader, encodeBinaryHeader } from "../wire/binary-header.ts";
import { Walker, WireType } from "../wire/walker.ts";
import { WireError } from "../wire/wire-error.ts";
import { assumed, pass } from "./declare.ts";
import { of } from "./names.ts";
import { refusalOf } from "./refusal.ts";
import type { Feature, MetadataHook, Pair, Step, Translator } from "./translator.ts";

/** The header as it travels, in lower case. */
const HEADER = "build.bazel.remote.execution.v2.requestmetadata-bin";
const RAW = "behaviour:request-metadata-raw";

/** The fields of RequestMetadata that any revision has: the first is a message, the others are strings. */
const TOOL_DETAILS = 1;
const LAST_STRING = 7;

const FEATURE: Feature = {
  id: "request-metadata",
  title: "The RequestMetadata header",
  since: "2.0",
  drift: ["D05", "P06", "P15", "P21"],
  why: "Servers group, log and sometimes refuse calls by it, and very old clients encode it twice.",
  forms: {
    message: "the message once, which gRPC encodes",
    encoded: "base64 text of the message, which gRPC encodes again",
    repeated: "the header more than once",
    odd: "a value that is no such message",
  },
  mistakes: ["repeated", "odd"],
};

const EVERY = ["message", "encoded", "repeated", "odd"];
const READ = pass("every server reads the message once, whatever fields it knows of it");

/**
 * The header that tells which tool a call is of (D05): the bytes of the message pass as they are, unknown fields with them, and exactly once. What a client
 * from before 2.0 encoded by hand is decoded for servers since; whatever else is wrong with a value is for the server to say.
 */
export const requestMetadata: Translator = {
  feature: FEATURE,
  owns: [
    "behaviour:request-metadata-header",
    RAW,
    ...of("RequestMetadata", "tool_details", "action_id", "tool_invocation_id", "correlated_invocations_id"),
    ...of("RequestMetadata", "action_mnemonic", "target_id", "configuration_id"),
    ...of("ToolDetails", "tool_name", "tool_version"),
  ],
  after: [],
  clientAhead: "passes: a server skips the fields it does not know",
  serverAhead: "what an old client encoded twice is decoded; one header goes on where a server takes no more",
  support,
  assume: { client: assumed(EVERY, EVERY), server: assumed(["message", "repeated"], ["message"]) },
  toServer: {
    message: forEach(["encoded", "repeated", "odd"], READ),
    encoded: forEach(["message", "repeated", "odd"], rewriting(decoded)),
    repeated: forEach(["message", "encoded", "odd"], rewriting(once)),
    odd: forEach(["message", "encoded", "repeated"], {
      ...rewriting(withoutOdd),
      optIn: "a server that does not take such a value says so",
    }),
  },
  toClient: pass("no response has the header"),
};

/** By level, and by whether the server is known to refuse a second header. A client of any level may send a value that is no message. */
function support({ role, level, facts }: PeerFacts): Support | null {
  const encodes = level !== null && !knows(level.value, RAW);
  if (role === "client") {
    if (level === null) return null;
    const forms = encodes ? EVERY : EVERY.filter((form) => form !== "encoded");
    return { reads: forms, writes: forms, evidence: level.evidence };
  }
  const stated = (facts as PeerFacts<"server">["facts"])?.requestMetadata;
  const single = stated?.repeated === "refused";
  if (level === null && !single) return null;
  const evidence: Evidence = single
    ? { source: "profile", note: `refuses a second header: ${stated.evidence}` }
    : level!.evidence;
  const reads = ["message", ...(encodes ? ["encoded"] : []), ...(single ? [] : ["repeated"])];
  return { reads, writes: ["message"], evidence };
}

function forEach(forms: readonly string[], step: Step): Record<string, Step> {
  return Object.fromEntries(forms.map((form) => [form, step]));
}

function rewriting(rewrite: MetadataHook["rewrite"]) {
  return { kind: "translate", metadata: { name: HEADER, rewrite } } as const;
}

/** Values that are no message but the base64 text of one, decoded. */
function decoded(values: readonly string[]): readonly string[] | null {
  const single = separate(values);
  const edited = single.map((value) => decodedOnce(value) ?? value);
  return edited.every((value, index) => value === single[index]) ? null : edited;
}

function decodedOnce(value: string): string | null {
  const bytes = bytesOf(value);
  if (bytes === null || isMetadata(bytes)) return null;
  const inner = bytesOf(bytes.toString("latin1"));
  return inner !== null && isMetadata(inner) ? encodeBinaryHeader(inner) : null;
}

/** The last of several equal values. */
function once(values: readonly string[], pair: Pair): readonly string[] | null {
  const single = separate(values);
  if (single.length < 2) return null;
  const different = new Set(single.map((value) => bytesOf(value)?.toString("hex") ?? value));
  if (different.size === 1) return single.slice(-1);
  throw refusalOf(
    { feature: FEATURE },
    {
      code: "request-unsupported",
      has: "takes the header only once",
      fix: "have the client, or what stands between it and the bridge, send one of them",
    },
    "repeated",
    { what: `Several values of ${HEADER}`, element: null, text: null },
    pair,
  );
}

/** The values that are such a message. */
function withoutOdd(values: readonly string[]): readonly string[] | null {
  const single = separate(values);
  const kept = single.filter((value) => {
    const bytes = bytesOf(value);
    return bytes !== null && isMetadata(bytes);
  });
  return kept.length === single.length ? null : kept;
}

/** Values that an intermediary joined with commas, as it may, taken apart. */
function separate(values: readonly string[]): string[] {
  return values.flatMap((value) => value.split(",").map((part) => part.trim()));
}

/** The bytes of a value; null for one that is not base64. */
function bytesOf(value: string): Buffer | null {
  try {
    return decodeBinaryHeader(value);
  } catch (error) {
    if (error instanceof WireError) return null;
    throw error;
  }
}

/** Whether the bytes can be read as RequestMetadata, of this or a later revision. */
function isMetadata(bytes: Buffer): boolean {
  try {
    const field = new Walker(bytes);
    while (field.next()) {
      if (field.number > LAST_STRING) continue;
      if (field.wireType !== WireType.LEN) return false;
      if (field.number === TOOL_DETAILS) for (const tool = field.enter(); tool.next(); );
      else field.text();
    }
    return true;
  } catch (error) {
    if (error instanceof WireError) return false;
    throw error;
  }
}
