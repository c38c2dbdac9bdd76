/**
 * Attributes of a node in both of their forms (D31, D33): pairs of text (`NodeProperty`), of which `MTime` and `UnixMode` have a meaning of their own, and
 * since 2.2 a message (`NodeProperties`) with fields for these two. Pure, on encoded messages.
 */
import { FieldWriter } from "../../wire/field-writer.ts";
import { formatRfc3339, parseRfc3339 } from "../../wire/rfc3339.ts";
import { Walker, WireType } from "../../wire/walker.ts";

/** How attributes are written. */
export type Nodes = "list" | "message";

/** Says that an attribute has no other form, and why. */
export type Fail = (attribute: string, why: string) => never;

/** What is called by other names in the two forms: by field in the message, by the lexicon in the list. */
const LEXICON: Readonly<Record<string, string>> = { mtime: "MTime", unix_mode: "UnixMode" };
const FIELDS = new Map(Object.entries(LEXICON).map(([field, name]) => [name, field]));

/** Field numbers of NodeProperty, NodeProperties, Timestamp and UInt32Value. */
const Pair = { name: 1, value: 2 } as const;
const Properties = { pairs: 1, mtime: 2, unixMode: 3 } as const;
const Timestamp = { seconds: 1, nanos: 2 } as const;
const WRAPPED = 1;

const SECOND = 1_000_000_000n;
/** The years 1 to 9999, in seconds since 1970: all that a Timestamp may hold. */
const EARLIEST = -62_135_596_800n;
const LATEST = 253_402_300_799n;
const MODE = /^[0-7]{4}$/;
const HIGHEST_MODE = 0o7777;

/** The name that an attribute has in a form, given its name in either. */
export function nameIn(form: Nodes, name: string): string {
  return (form === "list" ? LEXICON[name] : FIELDS.get(name)) ?? name;
}

/** The `NodeProperties` of pairs, each an encoded `NodeProperty`. `fail` is told of what it has no room for. */
export function messageOf(pairs: readonly Buffer[], fail: Fail): Buffer {
  const out = new FieldWriter();
  const seen = new Set<string>();
  for (const { name, value, bytes, more } of sorted(pairs.map(readPair))) {
    const field = FIELDS.get(name);
    if (field === undefined) {
      out.bytes(Properties.pairs, bytes);
      continue;
    }
    if (seen.has(name)) fail(name, "it stands there more than once");
    if (more) fail(name, "it has fields that no revision knows");
    seen.add(name);
    if (field === "mtime") out.bytes(Properties.mtime, timestampOf(value) ?? fail(name, NO_TIME));
    else out.bytes(Properties.unixMode, MODE.test(value) ? wrapped(value) : fail(name, NO_MODE));
  }
  return out.toBuffer();
}

const NO_TIME = "it is no time of the years 1 to 9999 as in RFC 3339";
const NO_MODE = "it is not made of four octal digits";

/** The pairs of a `NodeProperties`, each an encoded `NodeProperty`, sorted by name. `fail` is told of what they cannot say. */
export function listOf(message: Buffer, fail: Fail): Buffer[] {
  const pairs: PairText[] = [];
  const field = new Walker(message);
  // Parts of a message field that comes twice are merged.
  const parts = { mtime: [] as Buffer[], unixMode: [] as Buffer[] };
  while (field.next()) {
    const { number } = field;
    if (field.wireType !== WireType.LEN) fail(`field ${number}`, "no revision knows it");
    else if (number === Properties.pairs) pairs.push(readPair(field.bytes()));
    else if (number === Properties.mtime) parts.mtime.push(field.bytes());
    else if (number === Properties.unixMode) parts.unixMode.push(field.bytes());
    else fail(`field ${number}`, "no revision knows it");
  }
  for (const { name } of pairs)
    if (FIELDS.has(name)) fail(name, "a pair of that name would mean the field of that kind");
  if (parts.mtime.length > 0) {
    const nanoseconds = readTimestamp(Buffer.concat(parts.mtime)) ?? fail("mtime", NO_TIMESTAMP);
    pairs.push(pairOf("MTime", formatRfc3339(nanoseconds)));
  }
  if (parts.unixMode.length > 0) {
    const mode = readUint(Buffer.concat(parts.unixMode));
    if (mode > HIGHEST_MODE) fail("unix_mode", "it has more bits than four octal digits");
    pairs.push(pairOf("UnixMode", mode.toString(8).padStart(4, "0")));
  }
  return sorted(pairs).map(({ bytes }) => bytes);
}

const NO_TIMESTAMP = "it is no time of the years 1 to 9999";

interface PairText {
  readonly name: string;
  readonly value: string;
  readonly bytes: Buffer;
  /** Whether it has other fields than these. */
  readonly more: boolean;
}

function readPair(bytes: Buffer): PairText {
  let name = "";
  let value = "";
  let more = false;
  const field = new Walker(bytes);
  while (field.next()) {
    if (field.number === Pair.name && field.wireType === WireType.LEN) name = field.text();
    else if (field.number === Pair.value && field.wireType === WireType.LEN) value = field.text();
    else more = true;
  }
  return { name, value, bytes, more };
}

function pairOf(name: string, value: string): PairText {
  const out = new FieldWriter();
  out.text(Pair.name, name);
  out.text(Pair.value, value);
  return { name, value, bytes: out.toBuffer(), more: false };
}

/** By name, as all lists of the store; those of one name keep their order. */
function sorted(pairs: PairText[]): PairText[] {
  return pairs.sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)));
}

/** A `Timestamp`, canonical; null for a text that is no such time. */
function timestampOf(text: string): Buffer | null {
  const nanoseconds = parseRfc3339(text);
  if (nanoseconds === null) return null;
  const nanos = ((nanoseconds % SECOND) + SECOND) % SECOND;
  const seconds = (nanoseconds - nanos) / SECOND;
  if (!isTime(seconds)) return null;
  const out = new FieldWriter();
  if (seconds !== 0n) out.varint(Timestamp.seconds, seconds);
  if (nanos !== 0n) out.varint(Timestamp.nanos, nanos);
  return out.toBuffer();
}

/** The nanoseconds since 1970 of a `Timestamp`; null where it is out of range. */
function readTimestamp(bytes: Buffer): bigint | null {
  let seconds = 0n;
  let nanos = 0;
  const field = new Walker(bytes);
  while (field.next()) {
    if (field.wireType !== WireType.VARINT) continue;
    if (field.number === Timestamp.seconds) seconds = field.int64();
    else if (field.number === Timestamp.nanos) nanos = field.int32();
  }
  return isTime(seconds) && nanos >= 0 && nanos < SECOND ? seconds * SECOND + BigInt(nanos) : null;
}

function isTime(seconds: bigint): boolean {
  return seconds >= EARLIEST && seconds <= LATEST;
}

function wrapped(octal: string): Buffer {
  const mode = Number.parseInt(octal, 8);
  const out = new FieldWriter();
  if (mode !== 0) out.varint(WRAPPED, mode);
  return out.toBuffer();
}

function readUint(bytes: Buffer): number {
  let value = 0;
  const field = new Walker(bytes);
  while (field.next()) {
    if (field.number === WRAPPED && field.wireType === WireType.VARINT) value = field.int32() >>> 0;
  }
  return value;
}
