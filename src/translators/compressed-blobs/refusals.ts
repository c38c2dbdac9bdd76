/** What compressed blobs are refused with. */
import { COMPRESSORS } from "../../compression/compressors.ts";
import { BridgeError } from "../../spec/bridge-error.ts";
import { type Digest, formatDigest } from "../../wire/digest.ts";
import { refusalOf } from "../refusal.ts";
import type { Pair } from "../translator.ts";
import { COMPRESSED_BLOBS } from "./feature.ts";

const KNOWN = COMPRESSORS.map(({ segment }) => segment).join(", ");

/** The refusal of a compressor that no revision spells so. */
export function unknownCompressor(segment: string, pair: Pair): BridgeError {
  const step = {
    code: "compression-unsupported",
    has: "does not know it",
    fix: `use one of ${KNOWN}, in lower case, or turn compression off in the client`,
  } as const;
  const what = `The compressor "${segment.slice(0, 40)}"`;
  return refusalOf(
    { feature: COMPRESSED_BLOBS },
    step,
    segment.slice(0, 40),
    { what, element: null, text: "resource_name" },
    pair,
  );
}

/** The refusal of a limit for a compressed read, which 2.3 forbids: nobody can tell where the compressed bytes of so many plain ones end. */
export function limitedRead(segment: string): BridgeError {
  return new BridgeError({
    code: "request-unsupported",
    feature: COMPRESSED_BLOBS.id,
    drift: "D15",
    used: "ReadRequest.read_limit for a compressed blob",
    since: "2.3",
    has: "the API forbids it, and every server of it",
    fix: "read the blob plain, or without a limit",
    field: "read_limit",
    clientForm: segment,
  });
}

/** The refusal of an upload that is not the blob it is called; `why` is a sentence about it. Nothing of it is visible. */
export function brokenUpload(digest: Digest, segment: string, why: string, field: string): BridgeError {
  return new BridgeError({
    code: "upload-broken",
    feature: COMPRESSED_BLOBS.id,
    drift: "D15",
    used: `A ${segment} upload of ${formatDigest(digest)}`,
    since: null,
    has: why,
    fix: "send the whole blob again, under its own digest",
    field,
    clientForm: segment,
  });
}
