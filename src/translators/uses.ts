/** Finds out whether a message uses what would be refused. */
import { Take } from "../wire/field-scanner.ts";
import { Walker, WireType } from "../wire/walker.ts";
import type { FieldUse, RequestScan } from "./translator.ts";

/** The longest payload a `holds` is asked about. */
const MAX_ASKED = 64 * 1024;

/** The first of `uses` in the message, or null. @throws WireError as the walker does. */
export function findUse(message: Buffer, uses: readonly FieldUse[]): FieldUse | null {
  return find(new Walker(message), treeOf(uses));
}

/** Uses by the field numbers that lead to them. */
class UseTree<U extends FieldUse> {
  /** Those of the field that led here. */
  readonly uses: U[] = [];
  readonly below = new Map<number, UseTree<U>>();
}

function treeOf<U extends FieldUse>(uses: readonly U[]): UseTree<U> {
  const root = new UseTree<U>();
  for (const use of uses) {
    let node = root;
    for (const number of use.path) {
      const next = node.below.get(number) ?? new UseTree<U>();
      node.below.set(number, next);
      node = next;
    }
    node.uses.push(use);
  }
  return root;
}

function find<U extends FieldUse>(message: Walker, { below }: UseTree<U>): U | null {
  while (message.next()) {
    const node = below.get(message.number);
    if (node === undefined) continue;
    const { uses } = node;
    if (uses.length > 0) {
      const payload = message.buffer.subarray(message.start, message.end);
      for (const use of uses) if (isUse(use, message.wireType, payload)) return use;
    }
    if (node.below.size === 0 || message.wireType !== WireType.LEN) continue;
    const found = find(message.enter(), node);
    if (found !== null) return found;
  }
  return null;
}

function isUse({ holds }: FieldUse, wireType: number, payload: Buffer): boolean {
  if (holds !== undefined) return payload.length > MAX_ASKED || holds(payload);
  return wireType !== WireType.VARINT || payload.some((byte) => (byte & 0x7f) !== 0);
}

/** A use and what to do about it, which is to throw. */
export interface RefusedUse extends FieldUse {
  readonly refuse: () => never;
}

/** Looks for uses in the messages of a method, whole ones or while they pass. */
export class UseWatch<U extends RefusedUse = RefusedUse> {
  private readonly tree: UseTree<U>;

  constructor(uses: readonly U[]) {
    this.tree = treeOf(uses);
  }

  /** Refuses the first use in the message `buffer[start,end)`. @throws WireError as the walker does. */
  look(buffer: Buffer, start: number, end: number): void {
    find(new Walker(buffer, start, end), this.tree)?.refuse();
  }

  /** Refuses the first use of a message that passes, as soon as it is seen. */
  scan(): RequestScan {
    return new UseScan(this.tree);
  }
}

class UseScan implements RequestScan {
  /** What leads on from each level to where the scan is; null where nothing does. */
  private readonly at: (UseTree<RefusedUse> | null)[];

  constructor(root: UseTree<RefusedUse>) {
    this.at = [root];
  }

  field(number: number, wireType: number, length: number, depth: number): number {
    const node = this.at[depth]?.below.get(number) ?? null;
    this.at[depth + 1] = node;
    if (node === null) return Take.SKIP;
    for (const use of node.uses) {
      if (length > MAX_ASKED || (use.holds === undefined && wireType !== WireType.VARINT)) use.refuse();
    }
    if (node.uses.length > 0) return Take.GATHER;
    return wireType === WireType.LEN ? Take.ENTER : Take.SKIP;
  }

  value(_number: number, wireType: number, payload: Buffer, depth: number): void {
    const node = this.at[depth + 1]!;
    for (const use of node.uses) if (isUse(use, wireType, payload)) use.refuse();
    if (node.below.size > 0 && wireType === WireType.LEN) find(new Walker(payload), node)?.refuse();
  }

  complete(): void {
    // A use is refused where it is seen; a message without one has nothing to say at its end.
  }
}
