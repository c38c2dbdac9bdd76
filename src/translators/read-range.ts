import { BridgeError } from "../spec/bridge-error.ts";
import {
  type ReadRequest,
  readReadRequest,
  readReadResponse,
  writeReadResponse,
} from "../wire/byte-stream.ts";
import { formatDigest } from "../wire/digest.ts";
import { parseResourceName, type ResourceName } from "../wire/resource-name.ts";
import { joined, rewriteMessage } from "../wire/rewrite.ts";
import { Walker } from "../wire/walker.ts";
import { WireError } from "../wire/wire-error.ts";
import { readEncoded } from "./compressed-blobs/read.ts";
import { limitedRead } from "./compressed-blobs/refusals.ts";
import { assumed, pass } from "./declare.ts";
import { READ } from "./methods.ts";
import { ids } from "./names.ts";
import type {
  Call,
  Feature,
  FirstMessage,
  Forward,
  Pair,
  Step,
  Translate,
  Translator,
} from "./translator.ts";

const FEATURE: Feature = {
  id: "read-range",
  title: "Reading a part of a blob",
  since: "quirk",
  drift: ["D15"],
  why: "A server that ignores the range sends other bytes than those asked for; others refuse it.",
  forms: {
    whole: "from the first byte to the last",
    offset: "from read_offset on",
    "compressed-offset": "the same of a blob that is read compressed",
    limit: "no more than read_limit bytes",
  },
};

const FORMS = Object.keys(FEATURE.forms);

const CUT: Translate = {
  kind: "translate",
  does: "the bridge cuts the part out of what comes",
  methods: { [READ]: { when, exchange: readPart } },
};
const WHOLE = pass("a read of the whole blob asks for no part");

/**
 * Reading a part of a blob (D15). What the upstream ignores or refuses of a range, the bridge does: it leaves out what is before the offset, and ends the read at
 * the limit. Compressed bytes from an offset on are made of the plain blob.
 */
export const readRange: Translator = {
  feature: FEATURE,
  owns: ["behaviour:read-limit", ...ids("google.bytestream.ReadRequest", ["read_offset", "read_limit"])],
  after: ["compressed-blobs"],
  clientAhead: "the bridge cuts out what was asked for",
  serverAhead: "passes: a client that reads whole blobs asks for no range",
  support: () => null,
  assume: { client: assumed(FORMS, FORMS), server: assumed(FORMS, ["whole"]) },
  toServer: Object.fromEntries(
    FORMS.map((from) => [
      from,
      Object.fromEntries(
        FORMS.filter((to) => to !== from).map((to): [string, Step] => [to, from === "whole" ? WHOLE : CUT]),
      ),
    ]),
  ),
  toClient: pass("what is read was asked for"),
};

/** What of a read the upstream does not do. */
interface Lacking {
  readonly offset: boolean;
  readonly limit: boolean;
}

function lacking({ readOffset, readLimit }: ReadRequest, name: ResourceName, { server }: Pair): Lacking {
  const reads = server.features[FEATURE.id]?.reads ?? FORMS;
  const offset = name.compressor === null ? "offset" : "compressed-offset";
  return {
    offset: readOffset !== 0 && !reads.includes(offset),
    limit: readLimit !== 0 && !reads.includes("limit"),
  };
}

/** Reads with a range that the upstream does not do. */
function when({ bytes, whole }: FirstMessage, pair: Pair): boolean {
  try {
    const request = readReadRequest(bytes);
    const name = parseResourceName(request.resourceName);
    if (name === null) return false;
    const { offset, limit } = lacking(request, name, pair);
    return offset || limit;
  } catch (error) {
    // Of one that is cut off, more is to be seen when it is whole.
    if (error instanceof WireError) return !whole;
    throw error;
  }
}

async function* readPart(
  requests: AsyncIterable<Buffer>,
  call: Call,
  pair: Pair,
  forward: Forward,
): AsyncGenerator<readonly Buffer[]> {
  for await (const message of requests) yield* serve(message, call, pair, forward);
}

async function* serve(
  message: Buffer,
  call: Call,
  pair: Pair,
  forward: Forward,
): AsyncGenerator<readonly Buffer[]> {
  const request = readReadRequest(message);
  const name = parseResourceName(request.resourceName);
  const lacks = name === null ? null : lacking(request, name, pair);
  if (name === null || lacks === null || !(lacks.offset || lacks.limit)) {
    for await (const response of forward([message])) yield [response];
    return;
  }
  checkRange(request, name);
  const { compressor } = name;
  if (compressor !== null && request.readLimit !== 0) throw limitedRead(compressor);
  if (compressor !== null) return yield* readEncoded(message, { ...name, compressor }, call, pair, forward);
  const sent = rewriteMessage(new Walker(message), ({ number }) =>
    (number === OFFSET && lacks.offset) || number === LIMIT ? "drop" : "keep",
  );
  yield* cut(forward([joined(sent, message)]), lacks.offset ? request.readOffset : 0, request.readLimit);
}

const OFFSET = 2;
const LIMIT = 3;

/** Leaves out the first `skip` bytes, and ends behind `limit` more; 0 for no limit. */
async function* cut(
  responses: AsyncIterable<Buffer>,
  skip: number,
  limit: number,
): AsyncGenerator<readonly Buffer[]> {
  let before = skip;
  let left = limit === 0 ? Number.POSITIVE_INFINITY : limit;
  for await (const response of responses) {
    const data = readReadResponse(response);
    const part = data.subarray(before, before + left);
    before -= Math.min(before, data.length);
    left -= part.length;
    if (part.length === data.length) yield [response];
    else if (part.length > 0) yield writeReadResponse(part);
    if (left === 0) return;
  }
}

/** @throws BridgeError for a range that no blob has, or not this one. */
function checkRange({ readOffset, readLimit }: ReadRequest, { digest }: ResourceName): void {
  const { sizeBytes } = digest;
  if (readOffset < 0 || readOffset > sizeBytes)
    throw outside("read_offset", readOffset, `the blob ${formatDigest(digest)} has ${sizeBytes} bytes`);
  if (readLimit < 0) throw outside("read_limit", readLimit, "a limit is a number of bytes, or 0 for none");
}

function outside(field: "read_offset" | "read_limit", value: number, has: string): BridgeError {
  return new BridgeError({
    code: field === "read_offset" ? "range-outside" : "request-unsupported",
    feature: FEATURE.id,
    drift: "D15",
    used: `${field} ${value}`,
    since: null,
    has,
    fix: "ask for a part that is there",
    field,
  });
}
