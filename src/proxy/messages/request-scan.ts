import { type EnvelopeHandler, EnvelopeParser, MAX_DECLARED_BYTES } from "../../wire/envelope.ts";
import { FieldScanner, type FieldVisitor } from "../../wire/field-scanner.ts";
import { cutMessage } from "./call-error.ts";
import { uncalledCompression } from "./inflate.ts";
import { type EditorMaker, type MessageEditor, MessageFilter, prefix } from "./message-filter.ts";
import type { FilterMaker, Outflow, RequestObserver } from "./relay-filter.ts";

/** Looks at the fields of one message; throws to refuse the call, at the latest in `complete`. */
export interface ScanVisitor extends FieldVisitor {
  /** The message is over; the visitor's last word. */
  complete(): void;
}

/**
 * A filter that looks at every message of a request while it passes. Bytes are looked at before they go on, so the upstream never has the
 * whole of a message that is refused. `visitors` makes those of one message; `then`, if there is one, edits what they let pass.
 */
export function scanRequest(visitors: () => readonly ScanVisitor[], then?: EditorMaker): FilterMaker {
  return (context) => new MessageFilter(context, new RequestScan(visitors, then?.(context) ?? null));
}

interface Watcher {
  readonly visitor: ScanVisitor;
  readonly scanner: FieldScanner;
}

class RequestScan implements MessageEditor {
  private readonly makeVisitors: () => readonly ScanVisitor[];
  private readonly inner: MessageEditor | null;
  /** The inner editor, if it wants the message under way. */
  private editor: MessageEditor | null = null;
  private watchers: readonly Watcher[] = [];
  private left = 0;

  constructor(makeVisitors: () => readonly ScanVisitor[], inner: MessageEditor | null) {
    this.makeVisitors = makeVisitors;
    this.inner = inner;
  }

  wants(): boolean {
    return true;
  }

  begin(length: number, out: Outflow): void {
    this.watchers = this.makeVisitors().map((visitor) => ({ visitor, scanner: new FieldScanner(visitor) }));
    this.editor = this.inner?.wants() ? this.inner : null;
    this.left = length;
    // An empty message is whole with its prefix.
    if (length === 0) this.complete();
    if (this.editor === null) out.insert(prefix(length));
    else this.editor.begin(length, out);
  }

  bytes(buffer: Buffer, start: number, end: number, out: Outflow): void {
    for (const { scanner } of this.watchers) scanner.feed(buffer, start, end);
    this.left -= end - start;
    if (this.left === 0) this.complete();
    if (this.editor === null) out.pass(buffer, start, end);
    else this.editor.bytes(buffer, start, end, out);
  }

  end(out: Outflow): void {
    this.watchers = [];
    this.editor?.end(out);
  }

  close(): void {
    this.inner?.close?.();
  }

  private complete(): void {
    for (const { visitor, scanner } of this.watchers) {
      scanner.finish();
      visitor.complete();
    }
  }
}

/** Looks at the messages of a request where none is compressed; `makeVisitor` makes the visitor of one, which keeps no payload. */
export class ScanObserver implements RequestObserver, EnvelopeHandler {
  private readonly makeVisitor: () => ScanVisitor;
  private readonly parser = new EnvelopeParser(this, MAX_DECLARED_BYTES);
  private visitor: ScanVisitor | null = null;
  private scanner: FieldScanner | null = null;

  constructor(makeVisitor: () => ScanVisitor) {
    this.makeVisitor = makeVisitor;
  }

  feed(buffer: Buffer, start: number, end: number): void {
    this.parser.feed(buffer, start, end);
  }

  finish(): void {
    if (!this.parser.idle) throw cutMessage();
  }

  begin(_length: number, compressed: boolean): void {
    if (compressed) throw uncalledCompression();
    this.visitor = this.makeVisitor();
    this.scanner = new FieldScanner(this.visitor, true);
  }

  bytes(buffer: Buffer, start: number, end: number): void {
    this.scanner!.feed(buffer, start, end);
  }

  end(): void {
    this.scanner!.finish();
    this.visitor!.complete();
  }
}
