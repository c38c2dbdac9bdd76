/** Finds out whether a message uses what would be refused. */
import { Take } from "../wire/field-scanner.ts";
import { Walker, WireType } from "../wire/walker.ts";
import type { FieldUse, RequestScan } from "./translator.ts";

/** The longest payload a `holds` is asked about. */
const MAX_ASKED = 64 * 1024;

/** The first of `uses` in the message, or null. @throws WireError as the walker does. */
export function findUse(message: Buffer, uses: readonly FieldUse[]): FieldUse | null {
  return find(new Walker(message), uses, 0);
}

function find(message: Walker, uses: readonly FieldUse[], depth: number): FieldUse | null {
  while (message.next()) {
    const below = uses.filter(({ path }) => path[depth] === message.number);
    for (const use of below) {
      if (
        use.path.length === depth + 1 &&
        isUse(use, message.wireType, message.buffer.subarray(message.start, message.end))
      )
        return use;
    }
    const deeper = below.filter(({ path }) => path.length > depth + 1);
    if (deeper.length === 0 || message.wireType !== WireType.LEN) continue;
    const found = find(message.enter(), deeper, depth + 1);
    if (found !== null) return found;
  }
  return null;
}

function isUse({ holds }: FieldUse, wireType: number, payload: Buffer): boolean {
  if (holds !== undefined) return payload.length > MAX_ASKED || holds(payload);
  return wireType !== WireType.VARINT || payload.some((byte) => (byte & 0x7f) !== 0);
}

/**
 * The same while a message passes: for a FieldScanner. Calls `refuse` with the first use as soon as it is seen; that is to
 * throw.
 */
export class UseScan implements RequestScan {
  private readonly uses: readonly FieldUse[];
  private readonly refuse: (use: FieldUse) => never;
  /** Field numbers from the message to where the scan is; what lies deeper is of fields before. */
  private readonly at: number[] = [];

  constructor(uses: readonly FieldUse[], refuse: (use: FieldUse) => never) {
    this.uses = uses;
    this.refuse = refuse;
  }

  field(number: number, wireType: number, length: number, depth: number): number {
    this.at[depth] = number;
    let take: number = Take.SKIP;
    for (const use of this.uses) {
      if (!this.leadsTo(use, depth)) continue;
      if (use.path.length > depth + 1) {
        if (wireType === WireType.LEN && take === Take.SKIP) take = Take.ENTER;
      } else if (length > MAX_ASKED || (use.holds === undefined && wireType !== WireType.VARINT)) {
        this.refuse(use);
      } else {
        take = Take.GATHER;
      }
    }
    return take;
  }

  value(_number: number, wireType: number, payload: Buffer, depth: number): void {
    for (const use of this.uses) {
      if (use.path.length === depth + 1 && this.leadsTo(use, depth) && isUse(use, wireType, payload))
        this.refuse(use);
    }
  }

  /** Whether the way to the current field is the beginning, or all, of the way to a use. */
  private leadsTo({ path }: FieldUse, depth: number): boolean {
    for (let level = depth; level >= 0; level--) if (path[level] !== this.at[level]) return false;
    return true;
  }

  complete(): void {
    // A use is refused where it is seen; a message without one has nothing to say at its end.
  }
}
