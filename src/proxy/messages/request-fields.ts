import { type Field, makeField } from "../../http2/hpack/field.ts";
import { internName } from "../../http2/hpack/name.ts";
import type { UpstreamTarget } from "../upstream-target.ts";
import { READABLE_ENCODINGS } from "./inflate.ts";

const PATH = internName(":path");
const METHOD = makeField(internName(":method"), "POST");
const TE = makeField(internName("te"), "trailers", { index: true });
const CONTENT_TYPE = makeField(internName("content-type"), "application/grpc", { index: true });
const ACCEPT = makeField(internName("grpc-accept-encoding"), READABLE_ENCODINGS, { index: true });
const RESOURCE_NAME = internName("build.bazel.remote.execution.v2.resource-name");
const AUTHORITY = makeField(internName(":authority"), "reapi-bridge", { index: true });

const VISIBLE_ASCII = /^[!-~]+$/;

/** What belongs to one call and is not passed on to another that is made for it. */
const OF_THE_CALL: ReadonlySet<string> = new Set([
  "te",
  "content-type",
  "content-length",
  "grpc-timeout",
  "grpc-encoding",
  "grpc-accept-encoding",
  // It names the resource of this very call (D06).
  RESOURCE_NAME.text,
]);

/** The fields of a request head that are the caller's metadata: credentials, request metadata, tracing, user agent. */
export function metadataOf(fields: readonly Field[]): Field[] {
  return fields.filter(({ name }) => !name.pseudo && !OF_THE_CALL.has(name.text));
}

/**
 * The head of a call of the bridge's own to the method `path`, with `metadata` as it is. `resourceName` is that of a ByteStream call; it
 * is said in the routing header (D06), which is optional, unless it has characters that a header cannot carry.
 */
export function requestFields(
  path: string,
  upstream: UpstreamTarget,
  metadata: readonly Field[],
  resourceName?: string,
): Field[] {
  const target = makeField(PATH, path, { index: true });
  return [
    METHOD,
    upstream.scheme,
    target,
    upstream.authority ?? AUTHORITY,
    TE,
    CONTENT_TYPE,
    ACCEPT,
    ...metadata,
    ...(resourceName !== undefined && VISIBLE_ASCII.test(resourceName)
      ? [makeField(RESOURCE_NAME, resourceName)]
      : []),
  ];
}
