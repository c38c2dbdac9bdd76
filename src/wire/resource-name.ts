/** Names of blobs in ByteStream calls, and subjects of missing-blob errors, of every revision (drift.md D07, D14, D15). */
import { type Digest, formatDigest } from "./digest.ts";
import { DIGEST_FUNCTIONS, type DigestFunction, digestFunctionBySegment } from "./digest-function.ts";
import { RESERVED_SEGMENTS, RESERVED_SINCE_2_3 } from "./reserved-segments.ts";

/** A name of a blob, taken apart. */
export interface ResourceName {
  /** What stands before the keyword, without the slash between; may contain slashes; "" if nothing does. */
  readonly instance: string;
  /** The segment after `uploads` in the name of a write; null in the name of a read. */
  readonly upload: string | null;
  /** The segment after `compressed-blobs`, such as `zstd`; null under `blobs`. */
  readonly compressor: string | null;
  /** The function the name states; null if it leaves it to the length of the hash. */
  readonly digestFunction: DigestFunction | null;
  /** Hexadecimal in any case and of any length, lower-case only after `checkDigest`. */
  readonly digest: Digest;
  /** What follows the size, without the slash between; null if nothing does. */
  readonly metadata: string | null;
}

const BLOBS = "blobs/";
const COMPRESSED = "compressed-blobs/";

/** A segment that an instance name must not contain, as of any revision. */
const RESERVED = new RegExp(`(?:^|/)(${[...RESERVED_SEGMENTS, RESERVED_SINCE_2_3].join("|")})/`);

const UPLOAD = /^(?:(.*)\/)?uploads\/([^/]*)$/s;
const FUNCTIONS = DIGEST_FUNCTIONS.map((f) => f.segment).join("|");
const TAIL = new RegExp(`(?:(${FUNCTIONS})/)?([0-9a-fA-F]+)/(0|[1-9][0-9]{0,15})(?:/(.*))?$`, "sy");
const COMPRESSOR = /(?!blobs\/|uploads\/)([^/]+)\//y;

/**
 * Takes a name apart at the keyword (`blobs`, `compressed-blobs`) that a digest follows. Where several qualify, as when trailing
 * metadata contain one, it is the one whose instance name has no reserved segment; without such, the right-most. Null for every other
 * name (streams, D48; malformed ones): it must pass untouched. {@link formatResourceName} of the result is the same name, except that a
 * single slash at the very start is dropped. Takes time linear in the length.
 */
export function parseResourceName(name: string): ResourceName | null {
  const legal = parseAtFirstReserved(name);
  if (legal !== null) return legal;
  for (let at = name.lastIndexOf(BLOBS); at >= 0; at = at === 0 ? -1 : name.lastIndexOf(BLOBS, at - 1)) {
    const parsed = parseAt(name, name.endsWith("compressed-", at) ? at - "compressed-".length : at);
    if (parsed !== null) return parsed;
  }
  return null;
}

/** The name with these parts. */
export function formatResourceName(parts: ResourceName): string {
  const { instance, upload, compressor, digestFunction, digest, metadata } = parts;
  let name = instance === "" ? "" : `${instance}/`;
  if (upload !== null) name += `uploads/${upload}/`;
  name += compressor === null ? BLOBS : `${COMPRESSED}${compressor}/`;
  if (digestFunction !== null) name += `${digestFunction.segment}/`;
  name += formatDigest(digest);
  return metadata === null ? name : `${name}/${metadata}`;
}

/** An instance name without reserved segments ends at the first of them. */
function parseAtFirstReserved(name: string): ResourceName | null {
  const first = RESERVED.exec(name);
  if (first === null) return null;
  const next = first.index + first[0].length;
  if (first[1] !== "uploads") return parseAt(name, next - first[1]!.length - 1);
  const slash = name.indexOf("/", next);
  return slash < 0 ? null : parseAt(name, slash + 1);
}

/** Reads the name on the assumption that its keyword stands at this offset. */
function parseAt(name: string, keyword: number): ResourceName | null {
  if (keyword > 0 && name[keyword - 1] !== "/") return null;
  let tail: number;
  let compressor: string | null = null;
  if (name.startsWith(BLOBS, keyword)) {
    tail = keyword + BLOBS.length;
  } else if (name.startsWith(COMPRESSED, keyword)) {
    COMPRESSOR.lastIndex = keyword + COMPRESSED.length;
    compressor = COMPRESSOR.exec(name)?.[1] ?? null;
    if (compressor === null) return null;
    tail = COMPRESSOR.lastIndex;
  } else {
    return null;
  }
  TAIL.lastIndex = tail;
  const match = TAIL.exec(name);
  if (match === null) return null;
  const sizeBytes = Number(match[3]);
  if (!Number.isSafeInteger(sizeBytes)) return null;
  const prefix = keyword === 0 ? "" : name.slice(0, keyword - 1);
  const upload = UPLOAD.exec(prefix);
  return {
    instance: upload === null ? prefix : (upload[1] ?? ""),
    upload: upload === null ? null : upload[2]!,
    compressor,
    digestFunction: match[1] === undefined ? null : digestFunctionBySegment(match[1])!,
    digest: { hash: match[2]!, sizeBytes },
    metadata: match[4] ?? null,
  };
}
