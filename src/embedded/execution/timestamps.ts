/** Points in time as nanoseconds since 1970, and the two forms the API has for them (D31, D33). */

/** A google.protobuf.Timestamp. */
export interface Timestamp {
  seconds: bigint;
  nanos: number;
}

const SECOND = 1_000_000_000n;
const RFC_3339 = /^(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d:\d\d)(?:\.(\d{1,9})\d*)?([Zz]|[+-]\d\d:\d\d)$/;

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

/** RFC 3339 in UTC, with as many digits of the second as are needed. */
export function formatRfc3339(nanoseconds: bigint): string {
  const { seconds, nanos } = timestampOf(nanoseconds);
  const whole = new Date(Number(seconds) * 1000).toISOString().slice(0, 19);
  const fraction = nanos === 0 ? "" : `.${String(nanos).padStart(9, "0").replace(/0+$/, "")}`;
  return `${whole}${fraction}Z`;
}

/** The point in time of an RFC 3339 text, or null if it is not one. What is finer than a nanosecond is cut off. */
export function parseRfc3339(text: string): bigint | null {
  const parts = RFC_3339.exec(text);
  if (parts === null) return null;
  const [, date, time, fraction = "", offset] = parts;
  const milliseconds = Date.parse(`${date}T${time}${offset!.toUpperCase()}`);
  if (Number.isNaN(milliseconds)) return null;
  return BigInt(milliseconds) * 1_000_000n + BigInt(fraction.padEnd(9, "0"));
}
