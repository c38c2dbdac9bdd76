/** How much a server takes in one call about many blobs (D18, P03), as far as it is known. */
import type { ServerFacts } from "../../peers/profile.ts";

/** Bytes of a message that every gRPC library takes, unless told otherwise. */
export const COMMON_MESSAGE_LIMIT = 4 << 20;

/** What is kept free of a message where a batch is divided: peers count what is around the content differently. */
const HEADROOM = 1 / 4;

/** All in bytes. */
export interface Limits {
  /** The largest message, or what is supposed of it. */
  readonly message: number;
  /** The largest part to make of a batch, the message that it is in included: right by either reading of the announced limit. */
  readonly part: number;
  /** The largest batch that goes on as it came: its blobs, and the message that they are in. */
  readonly whole: { readonly blobs: number; readonly message: number };
}

/** Bytes of the largest message that a server takes, or what is supposed of it. */
export function messageLimitOf({ batchLimit, messageLimit }: ServerFacts): number {
  return messageLimit?.is ?? Math.max(COMMON_MESSAGE_LIMIT, batchLimit?.announced ?? 0);
}

/** The limits of a server. Of one that does not say what its announced limit counts, the message is taken to count: the stricter reading (P03). */
export function limitsOf(facts: ServerFacts): Limits {
  const { batchLimit, messageLimit } = facts;
  const announced = batchLimit?.announced || Number.POSITIVE_INFINITY;
  const message = messageLimitOf(facts);
  const countsBlobs = batchLimit?.counts === "blobs" && Number.isFinite(announced);
  const aroundBlobs = messageLimit?.is ?? Number.POSITIVE_INFINITY;
  return {
    message,
    part: Math.max(1, Math.min(announced, Math.floor(message * (1 - HEADROOM)))),
    whole: { blobs: announced, message: countsBlobs ? aroundBlobs : Math.min(announced, message) },
  };
}

/** Whether a batch can go on as it came. */
export function isWithin({ whole }: Limits, blobBytes: number, messageBytes: number): boolean {
  return blobBytes <= whole.blobs && messageBytes <= whole.message;
}
