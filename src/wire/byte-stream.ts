/** The messages of google.bytestream.ByteStream, read and written by hand: their data are most of what is ever sent. */
import { FieldWriter } from "./field-writer.ts";
import { Walker, WireType } from "./walker.ts";
import { WireError } from "./wire-error.ts";

/** A message in slices. */
type Slices = readonly Buffer[];

/** A `ReadRequest`; what it leaves out is empty or 0. */
export interface ReadRequest {
  readonly resourceName: string;
  /** May be negative, which is an error of whoever sent it. */
  readonly readOffset: number;
  /** 0 for no limit; may be negative. */
  readonly readLimit: number;
}

/** A `WriteRequest`; `data` lie in the message. */
export interface WriteRequest {
  /** Empty in all but the first message of most clients. */
  readonly resourceName: string;
  readonly writeOffset: number;
  readonly finishWrite: boolean;
  readonly data: Buffer;
}

const DATA = 10;

/** Reads a `ReadRequest`. @throws WireError for broken bytes, and numbers beyond 2^53-1. */
export function readReadRequest(message: Buffer): ReadRequest {
  const request = { resourceName: "", readOffset: 0, readLimit: 0 };
  const field = new Walker(message);
  while (field.next()) {
    if (field.number === 1 && field.wireType === WireType.LEN) request.resourceName = field.text();
    else if (field.number === 2 && field.wireType === WireType.VARINT) request.readOffset = field.integer();
    else if (field.number === 3 && field.wireType === WireType.VARINT) request.readLimit = field.integer();
  }
  return request;
}

/** The bytes of a `ReadRequest`. */
export function writeReadRequest({ resourceName, readOffset, readLimit }: ReadRequest): Slices {
  const out = new FieldWriter();
  if (resourceName !== "") out.text(1, resourceName);
  if (readOffset !== 0) out.varint(2, readOffset);
  if (readLimit !== 0) out.varint(3, readLimit);
  return out.finish();
}

/** The data of a `ReadResponse`, which lie in the message. @throws WireError for broken bytes. */
export function readReadResponse(message: Buffer): Buffer {
  const field = new Walker(message);
  let data: Buffer = message.subarray(0, 0);
  while (field.next()) if (field.number === DATA && field.wireType === WireType.LEN) data = field.bytes();
  return data;
}

/** The bytes of a `ReadResponse`. */
export function writeReadResponse(data: Buffer): Slices {
  const out = new FieldWriter();
  if (data.length > 0) out.bytes(DATA, data);
  return out.finish();
}

/** Reads a `WriteRequest`. @throws WireError for broken bytes, and numbers beyond 2^53-1. */
export function readWriteRequest(message: Buffer): WriteRequest {
  const request = {
    resourceName: "",
    writeOffset: 0,
    finishWrite: false,
    data: message.subarray(0, 0) as Buffer,
  };
  const field = new Walker(message);
  while (field.next()) {
    if (field.number === 1 && field.wireType === WireType.LEN) request.resourceName = field.text();
    else if (field.number === 2 && field.wireType === WireType.VARINT) request.writeOffset = field.integer();
    else if (field.number === 3 && field.wireType === WireType.VARINT) request.finishWrite = field.bool();
    else if (field.number === DATA && field.wireType === WireType.LEN) request.data = field.bytes();
  }
  return request;
}

/** The bytes of a `WriteRequest`. */
export function writeWriteRequest({ resourceName, writeOffset, finishWrite, data }: WriteRequest): Slices {
  const out = new FieldWriter();
  if (resourceName !== "") out.text(1, resourceName);
  if (writeOffset !== 0) out.varint(2, writeOffset);
  if (finishWrite) out.varint(3, true);
  if (data.length > 0) out.bytes(DATA, data);
  return out.finish();
}

/** The `committed_size` of a `WriteResponse`, or of a `QueryWriteStatusResponse`. @throws WireError for broken bytes. */
export function readCommittedSize(message: Buffer): number {
  const field = new Walker(message);
  let size = 0;
  while (field.next()) {
    if (field.number === 1 && field.wireType === WireType.VARINT) size = field.integer();
  }
  return size;
}

/** The bytes of a `WriteResponse`; -1 is legal. */
export function writeWriteResponse(committedSize: number): Slices {
  const out = new FieldWriter();
  if (committedSize !== 0) out.varint(1, committedSize);
  return out.finish();
}

/** The bytes of a `QueryWriteStatusResponse`. */
export function writeWriteStatus(committedSize: number, complete: boolean): Slices {
  const out = new FieldWriter();
  if (committedSize !== 0) out.varint(1, committedSize);
  if (complete) out.varint(2, true);
  return out.finish();
}

/**
 * The `resource_name` of a `ReadRequest`, a `WriteRequest` or a `QueryWriteStatusRequest`, which may be cut off behind it; empty if it has none, null if it is
 * cut off before it could be told.
 */
export function resourceNameIn(message: Buffer): string | null {
  const field = new Walker(message);
  try {
    while (field.next()) if (field.number === 1 && field.wireType === WireType.LEN) return field.text();
    return "";
  } catch (error) {
    if (error instanceof WireError) return null;
    throw error;
  }
}
