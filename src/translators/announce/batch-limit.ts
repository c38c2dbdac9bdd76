/** The limit of batches in capabilities (D18, P03). */
import { readAdvertised } from "../../peers/advertised.ts";
import type { ServerFacts } from "../../peers/profile.ts";
import { COMMON_MESSAGE_LIMIT } from "../batches/limits.ts";
import { mayDiffer } from "../declare.ts";
import type { Announcement, Edit, Pair } from "../translator.ts";
import { editCachePart } from "./cache-part.ts";

const MAX_BATCH = 4;

/**
 * The limit that is told where the server announces none, in bytes: its profile's, but no more than three quarters of the largest message it takes, which
 * is the common limit of gRPC libraries where nothing is known. The last quarter is for what a message holds besides blobs: some servers count it.
 */
export function safeBatchLimit(facts: ServerFacts): number {
  const announced = facts.batchLimit?.announced ?? 0;
  const bound = messageBound(facts);
  if (announced > 0) return Math.min(announced, bound);
  return Math.min(bound, threeQuarters(COMMON_MESSAGE_LIMIT));
}

/**
 * The lens: a number where none is announced, since a client takes 0 for no limit, for 4 MiB or for 0; and no more than a message of the server's can
 * hold.
 */
export function announceBatchLimit({ bytes, pair: { server } }: Announcement): Edit {
  const announced = readAdvertised(bytes).maxBatchBytes;
  const told = announced > 0 ? Math.min(announced, messageBound(server.facts)) : safeBatchLimit(server.facts);
  if (told === announced) return null;
  let written = false;
  return editCachePart(
    bytes,
    ({ number }) => (number === MAX_BATCH ? "drop" : "keep"),
    (out) => {
      if (!written) out.varint(MAX_BATCH, told);
      written = true;
    },
  );
}

/** Whether the lens runs for a pair that agrees in all that is known: where a profile speaks of the limit, or the revisions may differ. */
export function saysBatchLimit(pair: Pair): boolean {
  const { client, server } = pair;
  return mayDiffer(pair) || client.facts.batchLimit !== undefined || server.facts.batchLimit !== undefined;
}

/** The most bytes of blobs that fit the server's messages, as far as its profile tells. */
function messageBound({ batchLimit, messageLimit }: ServerFacts): number {
  const ceilings = [messageLimit?.is ?? 0, batchLimit?.counts === "message" ? batchLimit.announced : 0];
  const known = ceilings.filter((ceiling) => ceiling > 0);
  return known.length === 0 ? Number.POSITIVE_INFINITY : threeQuarters(Math.min(...known));
}

function threeQuarters(bytes: number): number {
  return Math.max(1, Math.floor(bytes * 0.75));
}
