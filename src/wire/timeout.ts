/** The `grpc-timeout` header: one to eight digits and a unit. */
import { WireError } from "./wire-error.ts";

const MS_PER_UNIT: Readonly<Record<string, number>> = {
  n: 1e-6,
  u: 1e-3,
  m: 1,
  S: 1000,
  M: 60_000,
  H: 3_600_000,
};

const TIMEOUT = /^([0-9]{1,8})([numSMH])$/;

/** Units for writing, from fine to coarse. Nanoseconds are left out: no clock of ours is that fine. */
const UNITS = ["u", "m", "S", "M", "H"] as const;

const MAX_DIGITS_VALUE = 99_999_999;

/**
 * The timeout in milliseconds, a finite number, possibly a fraction.
 * @throws WireError `timeout` if the value is not of the form.
 */
export function parseTimeout(value: string): number {
  const match = TIMEOUT.exec(value);
  if (match === null) {
    const shown = value.length > 40 ? `${value.slice(0, 37)}...` : value;
    throw new WireError(
      "timeout",
      `grpc-timeout "${shown}" is not one to eight digits followed by n, u, m, S, M or H`,
    );
  }
  return Number(match[1]) * MS_PER_UNIT[match[2]!]!;
}

/**
 * The header value for a number of milliseconds, in the finest unit that eight digits can hold, rounded up. What is not positive becomes
 * `0u`, which has expired on arrival; what is beyond 99999999 hours becomes that.
 */
export function formatTimeout(milliseconds: number): string {
  if (milliseconds <= 0) return "0u";
  for (const unit of UNITS) {
    const count = Math.ceil(milliseconds / MS_PER_UNIT[unit]!);
    if (count <= MAX_DIGITS_VALUE) return `${count}${unit}`;
  }
  return `${MAX_DIGITS_VALUE}H`;
}
