/** Points in time as nanoseconds since 1970, and as Timestamps. */

/** A google.protobuf.Timestamp. */
export interface Timestamp {
  seconds: bigint;
  nanos: number;
}

const SECOND = 1_000_000_000n;

/** The Timestamp of a point in time; also a Duration, of a length of time that is not negative. */
export function timestampOf(nanoseconds: bigint): Timestamp {
  const nanos = ((nanoseconds % SECOND) + SECOND) % SECOND;
  return { seconds: (nanoseconds - nanos) / SECOND, nanos: Number(nanos) };
}

/** The point in time of a Timestamp; also the length of a Duration. */
export function nanosecondsOf(timestamp: Timestamp): bigint {
  return timestamp.seconds * SECOND + BigInt(timestamp.nanos);
}

/** This moment, to the millisecond. */
export function now(): Timestamp {
  return timestampOf(BigInt(Date.now()) * 1_000_000n);
}
