/** The largest blob in capabilities (D19). */
import { readAdvertised } from "../../peers/advertised.ts";
import { WireType } from "../../wire/walker.ts";
import type { Announcement, Edit } from "../translator.ts";
import { editCachePart } from "./cache-part.ts";

const MAX_CAS_BLOB_SIZE = 8;

/**
 * Takes away what a draft had under the number of max_cas_blob_size_bytes: a message, where the limit is a varint (P10). A server that states no limit, and of which
 * one is known, is made to.
 */
export function announceBlobLimit({ bytes, pair: { server } }: Announcement): Edit {
  const known = server.facts.blobLimit?.bytes ?? 0;
  const told = known > 0 && readAdvertised(bytes).maxBlobBytes === 0 ? known : 0;
  let written = false;
  return editCachePart(
    bytes,
    ({ number, wireType }) =>
      number === MAX_CAS_BLOB_SIZE && (wireType === WireType.LEN || told > 0) ? "drop" : "keep",
    (out) => {
      if (told > 0 && !written) out.varint(MAX_CAS_BLOB_SIZE, told);
      written = true;
    },
  );
}
