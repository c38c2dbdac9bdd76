/** Points in time as text: RFC 3339, which node properties of API 2.0 and 2.1 have (D33). */

const SECOND = 1_000_000_000n;
const FORM =
  /^(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d:\d\d)(?:\.(\d{1,9})\d*)?(?:[Zz]|([+-])([01]\d|2[0-3]):([0-5]\d))$/;

/** A point in time, in nanoseconds since 1970, as text in UTC with as many digits of the second as are needed. The year must be within 0 to 9999. */
export function formatRfc3339(nanoseconds: bigint): string {
  const nanos = ((nanoseconds % SECOND) + SECOND) % SECOND;
  const seconds = (nanoseconds - nanos) / SECOND;
  const whole = new Date(Number(seconds) * 1000).toISOString().slice(0, 19);
  const fraction = nanos === 0n ? "" : `.${String(nanos).padStart(9, "0").replace(/0+$/, "")}`;
  return `${whole}${fraction}Z`;
}

/**
 * The point in time of a text, in nanoseconds since 1970; null if it is none, a day that the month does not have and a leap second included. What is finer
 * than a nanosecond is cut off.
 */
export function parseRfc3339(text: string): bigint | null {
  const parts = FORM.exec(text);
  if (parts === null) return null;
  const [, date, time, fraction = "", sign, hours = "0", minutes = "0"] = parts;
  const local = new Date(`${date}T${time}Z`);
  // A day that the month does not have, and the hour 24, are taken for those of the next day.
  if (local.getUTCDate() !== Number(date!.slice(8))) return null;
  const offset = (sign === "-" ? -60_000 : 60_000) * (Number(hours) * 60 + Number(minutes));
  return BigInt(local.getTime() - offset) * 1_000_000n + BigInt(fraction.padEnd(9, "0"));
}
