/** The digest functions of the API (drift.md D09 and 6.4). */

/** One value of `DigestFunction.Value`. */
export interface DigestFunction {
  /** Name of the enum value. */
  readonly name: string;
  /** Number of the enum value. */
  readonly number: number;
  /** Length of a hash in hexadecimal digits. */
  readonly hexDigits: number;
  /** The name in resource names and subjects: lower case. */
  readonly segment: string;
  /** Whether requests and names leave the function out, to be inferred from the length: the first seven. */
  readonly implicit: boolean;
}

function define(name: string, number: number, hexDigits: number): DigestFunction {
  return { name, number, hexDigits, segment: name.toLowerCase(), implicit: number <= 7 };
}

/** Every function up to API 2.12, by number. */
export const DIGEST_FUNCTIONS: readonly DigestFunction[] = [
  define("SHA256", 1, 64),
  define("SHA1", 2, 40),
  define("MD5", 3, 32),
  define("VSO", 4, 66),
  define("SHA384", 5, 96),
  define("SHA512", 6, 128),
  define("MURMUR3", 7, 32),
  define("SHA256TREE", 8, 64),
  define("BLAKE3", 9, 64),
  define("GITSHA1", 10, 40),
];

const BY_SEGMENT = new Map(DIGEST_FUNCTIONS.map((f) => [f.segment, f]));

/** The function with this enum number; undefined for 0 (unknown) and for numbers of later revisions. */
export function digestFunctionByNumber(number: number): DigestFunction | undefined {
  return DIGEST_FUNCTIONS[number - 1];
}

/** The function with this lower-case name, as it stands in resource names. */
export function digestFunctionBySegment(segment: string): DigestFunction | undefined {
  return BY_SEGMENT.get(segment);
}

/**
 * The function of a request that names none (D08): the first of `offered` (enum numbers in order of preference) that may be left
 * unsaid and has hashes of this length; null if there is none. Never SHA256TREE, BLAKE3 or GITSHA1.
 */
export function inferDigestFunction(hexDigits: number, offered: readonly number[]): DigestFunction | null {
  for (const number of offered) {
    const candidate = digestFunctionByNumber(number);
    if (candidate?.implicit && candidate.hexDigits === hexDigits) return candidate;
  }
  return null;
}
