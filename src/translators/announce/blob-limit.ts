/** The largest blob in capabilities (D19). */
import { WireType } from "../../wire/walker.ts";
import type { Announcement, Edit } from "../translator.ts";
import { editCachePart } from "./cache-part.ts";

const MAX_CAS_BLOB_SIZE = 8;

/** Takes away what a draft had under the number of max_cas_blob_size_bytes: a message, where the limit is a varint (P10). */
export function announceBlobLimit({ bytes }: Announcement): Edit {
  return editCachePart(bytes, ({ number, wireType }) =>
    number === MAX_CAS_BLOB_SIZE && wireType === WireType.LEN ? "drop" : "keep",
  );
}
