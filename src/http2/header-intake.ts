import { ErrorCode } from "./constants.ts";
import { checkRequest, checkResponse, checkTrailers } from "./header-rules.ts";
import type { HpackDecoder } from "./hpack/decoder.ts";
import type { Field } from "./hpack/field.ts";
import { HeadKind, type Stream } from "./stream.ts";

const MALFORMED = "a header with illegal characters";

/**
 * Takes the head of a request on a new stream. Returns false if it failed the stream; a list that is too large is not judged, as it is cut and
 * may lack what it ought to have.
 */
export function takeRequest(
  stream: Stream,
  fields: readonly Field[],
  fin: boolean,
  decoder: HpackDecoder,
): boolean {
  const { contentLength, problem } = checkRequest(fields);
  if (decoder.malformed) stream.fail(ErrorCode.PROTOCOL_ERROR, MALFORMED);
  else if (problem !== null && !decoder.tooLarge) stream.fail(ErrorCode.PROTOCOL_ERROR, problem);
  if (stream.gone) return false;
  stream.headReceived = true;
  if (contentLength >= 0) stream.expectBody(contentLength);
  if (!fin || stream.endRemote()) return true;
  stream.fail(ErrorCode.PROTOCOL_ERROR, "no body, though content-length announced one");
  return false;
}

/**
 * Takes a header list on a stream that exists: the head of a response, an informational one before it, or trailers (RFC 9113 section 8.1). Updates
 * what the stream knows of its message and hands the list to the sink, or fails the stream.
 */
export function takeResponse(
  stream: Stream,
  fields: readonly Field[],
  fin: boolean,
  decoder: HpackDecoder,
): void {
  if (stream.remoteDone) return stream.fail(ErrorCode.STREAM_CLOSED, "headers after the end of the stream");
  if (decoder.tooLarge) {
    return stream.fail(ErrorCode.ENHANCE_YOUR_CALM, `headers larger than ${decoder.maxListSize} bytes`);
  }
  if (decoder.malformed) return stream.fail(ErrorCode.PROTOCOL_ERROR, MALFORMED);
  const trailing = stream.headReceived;
  const facts = trailing ? checkTrailers(fields) : checkResponse(fields);
  if (facts.problem !== null) return stream.fail(ErrorCode.PROTOCOL_ERROR, facts.problem);
  const informational = !trailing && facts.status < 200;
  if (informational && fin) {
    return stream.fail(ErrorCode.PROTOCOL_ERROR, "a 1xx response that ends the stream");
  }
  if (trailing && !fin) return stream.fail(ErrorCode.PROTOCOL_ERROR, "trailers that do not end the stream");
  if (!trailing && !informational) {
    stream.headReceived = true;
    // A response to HEAD announces a body and has none, so a head that ends the stream promises nothing.
    if (facts.contentLength >= 0 && !fin) stream.expectBody(facts.contentLength);
  }
  if (fin && !stream.endRemote()) {
    return stream.fail(ErrorCode.PROTOCOL_ERROR, "a body shorter than its content-length");
  }
  const kind = trailing ? HeadKind.TRAILERS : informational ? HeadKind.INFORMATIONAL : HeadKind.FINAL;
  stream.sink.headers(fields, kind, fin);
  if (fin) stream.closeIfDone();
}
