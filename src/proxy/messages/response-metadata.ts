import type { Field } from "../../http2/hpack/field.ts";

/** What belongs to one answer and is not passed on with another. */
const OF_THE_ANSWER: ReadonlySet<string> = new Set([
  "content-type",
  "content-length",
  "grpc-encoding",
  "grpc-accept-encoding",
  "grpc-status",
  "grpc-message",
  "grpc-status-details-bin",
]);

/** The fields of a response's head or trailers that are the server's metadata. */
export function responseMetadata(fields: readonly Field[]): Field[] {
  return fields.filter(({ name }) => !name.pseudo && !OF_THE_ANSWER.has(name.text));
}
