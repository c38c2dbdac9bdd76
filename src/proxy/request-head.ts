import { type Field, makeField } from "../http2/hpack/field.ts";
import { internName } from "../http2/hpack/name.ts";
import { formatTimeout, parseTimeout } from "../wire/timeout.ts";
import type { UpstreamTarget } from "./upstream-target.ts";

const AUTHORITY = internName(":authority");
const SCHEME = internName(":scheme");
const METHOD = internName(":method");
const PATH = internName(":path");
const CONTENT_TYPE = internName("content-type");
const CONTENT_LENGTH = internName("content-length");
const TIMEOUT = internName("grpc-timeout");
const ENCODING = internName("grpc-encoding");
const PROBE = internName("reapi-bridge-probe");

/** What the router needs of a request's head. Missing values are empty. */
export interface RequestHead {
  method: string;
  path: string;
  contentType: string;
  /** The id of a start-up probe, or empty. */
  probe: string;
}

// Both are reused: one head is looked at at a time.
const head: RequestHead = { method: "", path: "", contentType: "", probe: "" };

/** Reads a head. The result is valid until the next call. */
export function readHead(fields: readonly Field[]): RequestHead {
  head.method = head.path = head.contentType = head.probe = "";
  for (let i = 0; i < fields.length; i++) {
    const field = fields[i]!;
    switch (field.name) {
      case METHOD:
        head.method = field.value;
        break;
      case PATH:
        head.path = field.value;
        break;
      case CONTENT_TYPE:
        head.contentType = field.value;
        break;
      case PROBE:
        head.probe = field.value;
        break;
    }
  }
  return head;
}

/** True for a gRPC request (of any message format) as opposed to plain HTTP. */
export function isGrpc({ method, contentType }: RequestHead): boolean {
  if (method !== "POST" || !contentType.startsWith("application/grpc")) return false;
  const next = contentType.charCodeAt(16);
  return Number.isNaN(next) || next === 0x2b || next === 0x3b;
}

/** The head to send upstream: `:scheme`, and by policy `:authority`, are the upstream's. */
export function upstreamHead(fields: readonly Field[], upstream: UpstreamTarget): readonly Field[] {
  const rewritten = fields.slice();
  for (let i = 0; i < rewritten.length; i++) {
    const { name } = rewritten[i]!;
    if (name === SCHEME) rewritten[i] = upstream.scheme;
    else if (name === AUTHORITY && upstream.authority !== null) rewritten[i] = upstream.authority;
  }
  return rewritten;
}

/** The head of a request whose length may change on its way. */
export function withoutLength(fields: readonly Field[]): readonly Field[] {
  return fields.filter(({ name }) => name !== CONTENT_LENGTH);
}

/** How the messages of a request are compressed: the `grpc-encoding` of its head; empty if there is none. */
export function encodingOf(fields: readonly Field[]): string {
  return fields.find(({ name }) => name === ENCODING)?.value ?? "";
}

/** The `grpc-timeout` of a head in milliseconds; null if there is none, or none that can be read. */
export function timeoutOf(fields: readonly Field[]): number | null {
  for (const field of fields) {
    if (field.name !== TIMEOUT) continue;
    try {
      return parseTimeout(field.value);
    } catch {
      return null;
    }
  }
  return null;
}

/** The head with another `grpc-timeout`, of at least a millisecond. */
export function withTimeout(fields: readonly Field[], leftMs: number): readonly Field[] {
  const left = makeField(TIMEOUT, formatTimeout(Math.max(1, leftMs)));
  return fields.map((field) => (field.name === TIMEOUT ? left : field));
}
