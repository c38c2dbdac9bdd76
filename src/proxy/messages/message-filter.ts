import {
  type EnvelopeHandler,
  EnvelopeParser,
  envelope,
  MAX_DECLARED_BYTES,
  PREFIX_BYTES,
  writePrefix,
} from "../../wire/envelope.ts";
import { type MemoryAllowance, MessageBuffer } from "../../wire/message-buffer.ts";
import { Status } from "../../wire/status.ts";
import { CallError, cutMessage } from "./call-error.ts";
import { inflateMessage } from "./inflate.ts";
import type { FilterContext, Outflow, RelayFilter } from "./relay-filter.ts";

/** What is done with the messages that a {@link MessageFilter} opens; called in the order begin, bytes …, end. */
export interface MessageEditor {
  /** Asked once for each message: whether it is to be opened. One that is not passes as it is. */
  wants(): boolean;
  /** A message of `length` bytes begins. Its prefix is for the editor to send. */
  begin(length: number, out: Outflow): void;
  bytes(buffer: Buffer, start: number, end: number, out: Outflow): void;
  end(out: Outflow): void;
  /** The call is over; what is held can be dropped. */
  close?(): void;
}

/** Makes the editor of one call. */
export type EditorMaker = (context: FilterContext) => MessageEditor;

/**
 * Finds the messages of a request and lets an editor see and change them as they pass. Messages have no limit here, as they are not held;
 * a compressed one is, up to the message limit, and goes on compressed unless it was changed.
 */
export class MessageFilter implements RelayFilter, EnvelopeHandler, MemoryAllowance {
  private readonly context: FilterContext;
  private readonly editor: MessageEditor;
  private readonly parser = new EnvelopeParser(this, MAX_DECLARED_BYTES);
  private out: Outflow | null = null;
  private compressed: MessageBuffer | null = null;
  private editing = false;
  private charged = 0;
  private closed = false;

  constructor(context: FilterContext, editor: MessageEditor) {
    this.context = context;
    this.editor = editor;
  }

  feed(buffer: Buffer, start: number, end: number, out: Outflow): void {
    this.out = out;
    this.parser.feed(buffer, start, end);
  }

  finish(): void {
    if (!this.parser.idle) throw cutMessage();
  }

  close(): void {
    if (this.closed) return;
    this.charge(-this.charged);
    this.closed = true;
    this.editor.close?.();
  }

  begin(length: number, compressed: boolean): void {
    this.editing = this.editor.wants();
    if (this.editing && compressed) this.gather(length);
    else if (this.editing) this.editor.begin(length, this.out!);
    else this.out!.insert(prefix(length, compressed));
  }

  bytes(buffer: Buffer, start: number, end: number): void {
    if (this.compressed !== null) this.compressed.append(buffer, start, end);
    else if (this.editing) this.editor.bytes(buffer, start, end, this.out!);
    else this.out!.pass(buffer, start, end);
  }

  end(): void {
    const { compressed } = this;
    this.compressed = null;
    if (compressed !== null) this.out!.insertLater(this.edited(compressed.view()));
    else if (this.editing) this.editor.end(this.out!);
  }

  private gather(length: number): void {
    const limit = this.context.maxMessageBytes;
    if (length > limit) {
      const text = `a compressed message of ${length} bytes was announced; the limit is ${limit} bytes`;
      throw new CallError(Status.RESOURCE_EXHAUSTED, text);
    }
    this.compressed = new MessageBuffer(length, this);
  }

  /** Lets the editor see a message that came compressed. */
  private async edited(compressed: Buffer): Promise<readonly Buffer[]> {
    const message = await inflateMessage(this.context.encoding, compressed, this.context.maxMessageBytes);
    const out = new Pieces();
    this.editor.begin(message.length, out);
    this.editor.bytes(message, 0, message.length, out);
    this.editor.end(out);
    const result = Buffer.concat(out.pieces);
    this.charge(-compressed.buffer.byteLength);
    const same = result.subarray(PREFIX_BYTES).equals(message);
    return same ? envelope([compressed], true) : [result];
  }

  get free(): number {
    return this.context.budget.free;
  }

  charge(bytes: number): void {
    if (this.closed) return;
    this.charged += bytes;
    this.context.budget.charge(bytes);
  }
}

/** The prefix of a message as bytes of its own. */
export function prefix(length: number, compressed = false): Buffer {
  const bytes = Buffer.allocUnsafe(PREFIX_BYTES);
  writePrefix(bytes, 0, length, compressed);
  return bytes;
}

/** Collects what an editor sends. */
class Pieces implements Outflow {
  readonly pieces: Buffer[] = [];

  pass(buffer: Buffer, start: number, end: number): void {
    this.pieces.push(buffer.subarray(start, end));
  }

  insert(bytes: Buffer): void {
    this.pieces.push(bytes);
  }

  insertLater(): void {
    throw new Error("an editor sends nothing later");
  }
}
