/** The compressors of the API (drift.md D15, D17). */

/** A value of `Compressor.Value`. */
export interface Compressor {
  readonly name: "IDENTITY" | "ZSTD" | "DEFLATE" | "BROTLI";
  readonly number: number;
  /** How names of compressed blobs spell it; those must not name IDENTITY. */
  readonly segment: string;
}

export const IDENTITY: Compressor = { name: "IDENTITY", number: 0, segment: "identity" };

/** Those that compress. DEFLATE is raw (RFC 1951), without the header of zlib. */
export const COMPRESSORS: readonly Compressor[] = [
  { name: "ZSTD", number: 1, segment: "zstd" },
  { name: "DEFLATE", number: 2, segment: "deflate" },
  { name: "BROTLI", number: 3, segment: "brotli" },
];

const ALL = [IDENTITY, ...COMPRESSORS];

/** The compressor with this number, IDENTITY included; null if there is none. */
export function compressorByNumber(number: number): Compressor | null {
  return ALL.find((one) => one.number === number) ?? null;
}

/** The compressor that a name of a compressed blob may spell so, lower case only; null if there is none. */
export function compressorBySegment(segment: string): Compressor | null {
  return COMPRESSORS.find((one) => one.segment === segment) ?? null;
}

/** The compressor with this name of the enum, IDENTITY included. @throws TypeError if there is none. */
export function compressorNamed(name: string): Compressor {
  const found = ALL.find((one) => one.name === name);
  if (found === undefined) throw new TypeError(`there is no compressor ${name}`);
  return found;
}
