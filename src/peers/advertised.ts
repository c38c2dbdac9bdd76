/** What a `ServerCapabilities` says of its server: evidence of the second-best kind, as the announced version is a weak hint (D02). */
import { isLevel, type Level, NEWEST } from "../spec/versions.ts";
import { Walker, WireType } from "../wire/walker.ts";

/** A version of the API as messages state it. */
export interface ApiVersion {
  readonly major: number;
  readonly minor: number;
  readonly patch: number;
  readonly prerelease: string;
}

/** What a server announces. Absent is what the message does not state. */
export interface Advertised {
  readonly deprecated: ApiVersion | null;
  readonly low: ApiVersion | null;
  readonly high: ApiVersion | null;
  /** The level that the highest version stands for; null where none is stated, or none of version 2. */
  readonly level: Level | null;
  /** Numbers of the digest functions of the store, and of execution, in the server's order; unknown ones included. */
  readonly storeFunctions: readonly number[];
  readonly executionFunctions: readonly number[];
  /** The single function of execution, which older clients read (D10); 0 if there is none. */
  readonly executionFunction: number;
  /** Bytes of a batch; 0 if there is no announced limit. */
  readonly maxBatchBytes: number;
  /** Numbers of the compressors of streams and of batches, in the server's order; unknown ones included. */
  readonly compressors: readonly number[];
  readonly batchCompressors: readonly number[];
  readonly executes: boolean;
  readonly writesResults: boolean;
}

/** Reads a `ServerCapabilities`. @throws WireError for broken bytes. */
export function readAdvertised(capabilities: Buffer): Advertised {
  const versions: Record<number, ApiVersion> = {};
  let store: Store = {
    functions: [],
    compressors: [],
    batchCompressors: [],
    maxBatchBytes: 0,
    writesResults: false,
  };
  let execution: Execution = { single: 0, functions: [], enabled: false };
  const field = new Walker(capabilities);
  while (field.next()) {
    if (field.wireType !== WireType.LEN) continue;
    if (field.number === 1) store = readStore(field.enter(), store);
    else if (field.number === 2) execution = readExecution(field.enter(), execution);
    else if (field.number >= 3 && field.number <= 5) versions[field.number] = readVersion(field.enter());
  }
  const high = versions[5] ?? null;
  const { single, functions } = execution;
  return {
    deprecated: versions[3] ?? null,
    low: versions[4] ?? null,
    high,
    level: high === null ? null : levelOf(high),
    storeFunctions: store.functions,
    // The list is newer than the single field, which old clients read (D10).
    executionFunctions: functions.length > 0 || single === 0 ? functions : [single],
    executionFunction: single,
    maxBatchBytes: store.maxBatchBytes,
    compressors: store.compressors,
    batchCompressors: store.batchCompressors,
    executes: execution.enabled,
    writesResults: store.writesResults,
  };
}

/** The level a version stands for: its own, or the newest for one that nobody knows yet; null for other majors than 2. */
export function levelOf({ major, minor }: ApiVersion): Level | null {
  if (major !== 2) return null;
  const level = `2.${minor}`;
  return isLevel(level) ? level : NEWEST;
}

interface Store {
  readonly functions: number[];
  readonly compressors: number[];
  readonly batchCompressors: number[];
  readonly maxBatchBytes: number;
  readonly writesResults: boolean;
}

interface Execution {
  readonly single: number;
  readonly functions: number[];
  readonly enabled: boolean;
}

/** A `CacheCapabilities`; `before` is what an earlier part of the same field said, as parts are merged. */
function readStore(field: Walker, before: Store): Store {
  const functions = [...before.functions];
  const compressors = [...before.compressors];
  const batchCompressors = [...before.batchCompressors];
  let { maxBatchBytes, writesResults } = before;
  while (field.next()) {
    if (field.number === 1) functions.push(...enums(field));
    else if (field.number === 2 && field.wireType === WireType.LEN) writesResults = updates(field.enter());
    else if (field.number === 4 && field.wireType === WireType.VARINT) maxBatchBytes = size(field);
    else if (field.number === 6) compressors.push(...enums(field));
    else if (field.number === 7) batchCompressors.push(...enums(field));
  }
  return { functions, compressors, batchCompressors, maxBatchBytes, writesResults };
}

/** An `ExecutionCapabilities`. */
function readExecution(field: Walker, before: Execution): Execution {
  const functions = [...before.functions];
  let { single, enabled } = before;
  while (field.next()) {
    if (field.number === 1 && field.wireType === WireType.VARINT) single = field.int32();
    else if (field.number === 2 && field.wireType === WireType.VARINT) enabled = field.bool();
    else if (field.number === 5) functions.push(...enums(field));
  }
  return { single, functions, enabled };
}

function updates(field: Walker): boolean {
  let enabled = false;
  while (field.next()) if (field.number === 1 && field.wireType === WireType.VARINT) enabled = field.bool();
  return enabled;
}

/** A size that makes no sense, below 0 or beyond all memory, is as good as none. */
function size(field: Walker): number {
  const value = field.int64();
  return value > 0n && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : 0;
}

function readVersion(field: Walker): ApiVersion {
  const version = { major: 0, minor: 0, patch: 0, prerelease: "" };
  while (field.next()) {
    if (field.number === 4 && field.wireType === WireType.LEN) version.prerelease = field.text();
    if (field.wireType !== WireType.VARINT) continue;
    if (field.number === 1) version.major = field.int32();
    else if (field.number === 2) version.minor = field.int32();
    else if (field.number === 3) version.patch = field.int32();
  }
  return version;
}

/** The values of a repeated enum, packed or one by one. */
function enums(field: Walker): number[] {
  if (field.wireType === WireType.VARINT) return [field.int32()];
  if (field.wireType !== WireType.LEN) return [];
  const values: number[] = [];
  let value = 0;
  let shift = 0;
  for (const byte of field.bytes()) {
    if (shift < 32) value |= (byte & 0x7f) << shift;
    shift += 7;
    if (byte >= 0x80) continue;
    values.push(value);
    value = shift = 0;
  }
  return values;
}
