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
  readonly executes: boolean;
  readonly writesResults: boolean;
  /** Whether there is a part on the store, and one on execution: an endpoint may answer for one of them only (D01). */
  readonly statesStore: boolean;
  readonly statesExecution: boolean;
  /** Numbers of the compressors of streams, and of batches, in the server's order; unknown ones included. */
  readonly compressors: readonly number[];
  readonly batchCompressors: readonly number[];
  /** Bytes of the largest blob; 0 if there is no announced limit (D19). */
  readonly maxBlobBytes: number;
  /** A number of `SymlinkAbsolutePathStrategy`; 0 where nothing is said (D34). */
  readonly absoluteSymlinks: number;
  /** `split_blob_support` and `splice_blob_support` (D22). */
  readonly splits: boolean;
  readonly splices: boolean;
  /** Names of `supported_node_properties` (D32). */
  readonly nodeProperties: readonly string[];
  /** Ranges of priorities of executions (D50). */
  readonly priorities: readonly PriorityRange[];
}

/** Priorities from and to, both included. */
interface PriorityRange {
  readonly min: number;
  readonly max: number;
}

/** Reads a `ServerCapabilities`. @throws WireError for broken bytes. */
export function readAdvertised(capabilities: Buffer): Advertised {
  const versions: Record<number, ApiVersion> = {};
  let store: Store | null = null;
  let execution: Execution | null = null;
  const field = new Walker(capabilities);
  while (field.next()) {
    if (field.wireType !== WireType.LEN) continue;
    if (field.number === 1) store = readStore(field.enter(), store ?? NO_STORE);
    else if (field.number === 2) execution = readExecution(field.enter(), execution ?? NO_EXECUTION);
    else if (field.number >= 3 && field.number <= 5) versions[field.number] = readVersion(field.enter());
  }
  const high = versions[5] ?? null;
  const { functions: storeFunctions, ...stored } = store ?? NO_STORE;
  const { single, functions, ...executed } = execution ?? NO_EXECUTION;
  return {
    deprecated: versions[3] ?? null,
    low: versions[4] ?? null,
    high,
    level: high === null ? null : levelOf(high),
    storeFunctions,
    // The list is newer than the single field, which old clients read (D10).
    executionFunctions: functions.length > 0 || single === 0 ? functions : [single],
    executionFunction: single,
    statesStore: store !== null,
    statesExecution: execution !== null,
    ...stored,
    ...executed,
  };
}

/** The level a version stands for: its own, or the newest for one that nobody knows yet; null for other majors than 2. */
export function levelOf({ major, minor }: ApiVersion): Level | null {
  if (major !== 2) return null;
  const level = `2.${minor}`;
  return isLevel(level) ? level : NEWEST;
}

type Store = { readonly functions: readonly number[] } & Pick<
  Advertised,
  | "maxBatchBytes"
  | "writesResults"
  | "compressors"
  | "batchCompressors"
  | "maxBlobBytes"
  | "absoluteSymlinks"
  | "splits"
  | "splices"
>;

type Execution = { readonly single: number; readonly functions: readonly number[] } & Pick<
  Advertised,
  "executes" | "nodeProperties" | "priorities"
>;

const NO_STORE: Store = {
  functions: [],
  maxBatchBytes: 0,
  writesResults: false,
  compressors: [],
  batchCompressors: [],
  maxBlobBytes: 0,
  absoluteSymlinks: 0,
  splits: false,
  splices: false,
};

const NO_EXECUTION: Execution = {
  single: 0,
  functions: [],
  executes: false,
  nodeProperties: [],
  priorities: [],
};

/**
 * A `CacheCapabilities`; `before` is what an earlier part of the same field said, as parts are merged. Proposals put other things under
 * some numbers: where the wire type is another, the field is not looked at (P05, P10).
 */
function readStore(field: Walker, before: Store): Store {
  const functions = [...before.functions];
  const compressors = [...before.compressors];
  const batchCompressors = [...before.batchCompressors];
  let { maxBatchBytes, writesResults, maxBlobBytes, absoluteSymlinks, splits, splices } = before;
  while (field.next()) {
    if (field.number === 1) functions.push(...enums(field));
    else if (field.number === 6) compressors.push(...enums(field));
    else if (field.number === 7) batchCompressors.push(...enums(field));
    else if (field.number === 2 && field.wireType === WireType.LEN) writesResults = updates(field.enter());
    if (field.wireType !== WireType.VARINT) continue;
    if (field.number === 4) maxBatchBytes = size(field);
    else if (field.number === 5) absoluteSymlinks = field.int32();
    else if (field.number === 8) maxBlobBytes = size(field);
    else if (field.number === 9) splits = field.bool();
    else if (field.number === 10) splices = field.bool();
  }
  return {
    functions,
    maxBatchBytes,
    writesResults,
    compressors,
    batchCompressors,
    maxBlobBytes,
    absoluteSymlinks,
    splits,
    splices,
  };
}

/** An `ExecutionCapabilities`. */
function readExecution(field: Walker, before: Execution): Execution {
  const functions = [...before.functions];
  const nodeProperties = [...before.nodeProperties];
  const priorities = [...before.priorities];
  let { single, executes } = before;
  while (field.next()) {
    if (field.number === 1 && field.wireType === WireType.VARINT) single = field.int32();
    else if (field.number === 2 && field.wireType === WireType.VARINT) executes = field.bool();
    else if (field.number === 5) functions.push(...enums(field));
    if (field.wireType !== WireType.LEN) continue;
    if (field.number === 3) priorities.push(...readPriorities(field.enter()));
    else if (field.number === 4) nodeProperties.push(field.bytes().toString());
  }
  return { single, functions, executes, nodeProperties, priorities };
}

/** The ranges of a `PriorityCapabilities`. */
function* readPriorities(field: Walker): Generator<PriorityRange> {
  while (field.next()) {
    if (field.number !== 1 || field.wireType !== WireType.LEN) continue;
    const range = field.enter();
    let [min, max] = [0, 0];
    while (range.next()) {
      if (range.wireType !== WireType.VARINT) continue;
      if (range.number === 1) min = range.int32();
      else if (range.number === 2) max = range.int32();
    }
    yield { min, max };
  }
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
