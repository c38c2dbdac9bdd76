/** Servers that end SplitBlob and SpliceBlob in other codes than the API has for what is missing (D22, P18). */
import { UpstreamError } from "../../upstream/upstream-error.ts";
import { type Digest, formatDigest } from "../../wire/digest.ts";
import { Status } from "../../wire/status.ts";
import { WireError } from "../../wire/wire-error.ts";
import type { Call, MethodHooks, Pair } from "../translator.ts";
import { spliceRequest, splitRequest } from "./requests.ts";
import { missingChunk } from "./splice.ts";

type Exchange = NonNullable<MethodHooks["exchange"]>;

/**
 * SplitBlob that is refused for a blob that is stored and was never cut: NOT_FOUND, upon which clients read the blob whole. What is wrong with the request itself
 * stays as the upstream says it.
 */
export const splitCodes: Exchange = translated(async (request, call) => {
  const { what, port } = splitRequest(request, call);
  if ((await port.findMissing([what])).length > 0) return null;
  return new UpstreamError(Status.NOT_FOUND, `the blob ${formatDigest(what)} is stored, and not in chunks`);
});

/** SpliceBlob that is refused for want of a chunk: NOT_FOUND, naming it. */
export const spliceCodes: Exchange = translated(async (request, call) => {
  const { what, port } = await spliceRequest(request, call, tooLong);
  const [lost]: readonly Digest[] = await port.findMissing(what.chunks);
  return lost === undefined ? null : missingChunk(lost);
});

/** The upstream's own error says more then. */
function tooLong(): UpstreamError {
  return new UpstreamError(Status.INVALID_ARGUMENT, "the list of chunks is too long");
}

/** Forwards the call; where it is refused, asks `why` for the error in place of that. */
function translated(why: (request: Buffer, call: Call) => Promise<UpstreamError | null>): Exchange {
  return async function* (requests, call, _: Pair, forward) {
    const all: Buffer[] = [];
    for await (const request of requests) all.push(request);
    try {
      for await (const response of forward(all)) yield [response];
    } catch (error) {
      if (!isRefusal(error) || all[0] === undefined) throw error;
      throw (await instead(why, all[0], call)) ?? error;
    }
  };
}

function isRefusal(error: unknown): boolean {
  const codes: readonly number[] = [Status.FAILED_PRECONDITION, Status.INVALID_ARGUMENT];
  return error instanceof UpstreamError && codes.includes(error.code);
}

/** The error that `why` finds; null where it cannot tell: the upstream's own is as good then. */
async function instead(
  why: (request: Buffer, call: Call) => Promise<UpstreamError | null>,
  request: Buffer,
  call: Call,
): Promise<UpstreamError | null> {
  try {
    return await why(request, call);
  } catch (error) {
    if (error instanceof UpstreamError || error instanceof WireError) return null;
    throw error;
  }
}
