import type { Budget } from "../../http2/budget.ts";
import { ownCopy } from "../../http2/headroom.ts";
import { FieldScanner, type FieldVisitor, Take } from "../../wire/field-scanner.ts";
import { FieldWriter } from "../../wire/field-writer.ts";
import { Status } from "../../wire/status.ts";
import { WireType } from "../../wire/walker.ts";
import { CallError } from "./call-error.ts";
import { type EditorMaker, type MessageEditor, MessageFilter, prefix } from "./message-filter.ts";
import type { FilterMaker, Outflow } from "./relay-filter.ts";

/** Bytes held until the field has come; names are far shorter. */
const MAX_HEAD = 64 * 1024;
const MAX_MESSAGE = 0xffff_ffff;

/**
 * What becomes of a field: its new payload, or null to leave it out. `value` is null where the message lacks the field. Returning what was given
 * leaves the bytes as they are. May throw a `CallError` to refuse the call.
 */
export type HeadRewrite = (value: Buffer | null) => Buffer | null;

/**
 * A filter that rewrites the string or bytes field `number` in the first message of a call and streams everything else: bytes are held back only
 * until that field ends or one with a higher number begins. A field that comes again, or after a higher one, would have escaped and
 * refuses the call with INVALID_ARGUMENT.
 */
export function rewriteHead(number: number, rewrite: HeadRewrite): FilterMaker {
  return (context) => new MessageFilter(context, headEditor(number, rewrite)(context));
}

/** The editor of {@link rewriteHead}. */
export function headEditor(number: number, rewrite: HeadRewrite): EditorMaker {
  return ({ budget }) => new HeadRewriter(number, rewrite, budget);
}

interface Found {
  readonly from: number;
  readonly to: number;
  readonly value: Buffer | null;
}

class HeadRewriter implements MessageEditor, FieldVisitor {
  private readonly number: number;
  private readonly rewrite: HeadRewrite;
  private readonly budget: Budget;
  private readonly scanner = new FieldScanner(this);
  private first = true;
  private length = 0;
  private held: Buffer[] = [];
  private heldBytes = 0;
  private fieldFrom = 0;
  private found: Found | null = null;
  private passing = false;

  constructor(number: number, rewrite: HeadRewrite, budget: Budget) {
    this.number = number;
    this.rewrite = rewrite;
    this.budget = budget;
  }

  wants(): boolean {
    const { first } = this;
    this.first = false;
    return first;
  }

  begin(length: number): void {
    this.length = length;
  }

  bytes(buffer: Buffer, start: number, end: number, out: Outflow): void {
    this.scanner.feed(buffer, start, end);
    if (this.passing) out.pass(buffer, start, end);
    else if (this.found !== null) this.goOn(this.found, buffer, start, end, out);
    else this.hold(buffer, start, end);
  }

  end(out: Outflow): void {
    this.scanner.finish();
    const { length } = this;
    if (!this.passing) this.goOn({ from: length, to: length, value: null }, NOTHING, 0, 0, out);
  }

  /** Gives back what is held. */
  close(): void {
    this.budget.charge(-this.heldBytes);
    this.held = [];
    this.heldBytes = 0;
  }

  field(number: number, wireType: number, length: number, _depth: number, offset: number): number {
    if (this.found !== null) {
      if (number === this.number) throw new CallError(Status.INVALID_ARGUMENT, this.misplaced());
      return Take.SKIP;
    }
    if (number < this.number) return Take.SKIP;
    this.fieldFrom = offset;
    if (number > this.number) {
      this.found = { from: offset, to: offset, value: null };
      return Take.SKIP;
    }
    if (wireType !== WireType.LEN)
      throw new CallError(Status.INVALID_ARGUMENT, `field ${number} of the first message has the wrong type`);
    if (length > MAX_HEAD) throw this.tooLarge();
    return Take.GATHER;
  }

  value(_number: number, _wireType: number, payload: Buffer, _depth: number, offset: number): void {
    this.found = { from: this.fieldFrom, to: offset, value: payload };
  }

  /** Sends what was held with the field rewritten, and the rest of the bytes that just came. */
  private goOn({ from, to, value }: Found, buffer: Buffer, start: number, end: number, out: Outflow): void {
    this.passing = true;
    const held = Buffer.concat(this.held);
    this.close();
    const result = this.rewrite(value);
    if (result === value) {
      out.insert(prefix(this.length));
      out.insert(held);
      out.pass(buffer, start, end);
      return;
    }
    const field = new FieldWriter();
    if (result !== null) field.bytes(this.number, result);
    const length = this.length - (to - from) + field.byteLength;
    if (length > MAX_MESSAGE) throw this.tooLarge();
    out.insert(prefix(length));
    const before = from - held.length;
    out.insert(held.subarray(0, from));
    if (before > 0) out.insert(Buffer.from(buffer.subarray(start, start + before)));
    for (const bytes of field.finish()) out.insert(bytes);
    out.insert(held.subarray(to));
    out.pass(buffer, start + Math.max(0, to - held.length), end);
  }

  private hold(buffer: Buffer, start: number, end: number): void {
    if (this.heldBytes + end - start > MAX_HEAD) throw this.tooLarge();
    this.held.push(ownCopy(buffer, start, end));
    this.heldBytes += end - start;
    this.budget.charge(end - start);
  }

  private misplaced(): string {
    return `field ${this.number} of the first message comes twice or after a higher one, so that the bridge cannot rewrite it`;
  }

  private tooLarge(): CallError {
    const text = `field ${this.number} of the first message does not end within its first ${MAX_HEAD} bytes`;
    return new CallError(Status.RESOURCE_EXHAUSTED, text);
  }
}

const NOTHING = Buffer.alloc(0);
