import { FieldScanner, type FieldVisitor } from "../../wire/field-scanner.ts";
import { type MessageEditor, MessageFilter, prefix } from "./message-filter.ts";
import type { FilterMaker, Outflow } from "./relay-filter.ts";

/** Looks at the fields of one message; throws a `CallError` to refuse the call, at the latest in `complete`. */
export interface ScanVisitor extends FieldVisitor {
  /** The message is over; the visitor's last word. */
  complete(): void;
}

/**
 * A filter that looks at every message of a request while it passes, unchanged. Bytes are looked at before they go on, so the upstream never has the
 * whole of a message that is refused.
 */
export function scanRequest(visitor: () => ScanVisitor): FilterMaker {
  return (context) => new MessageFilter(context, new RequestScan(visitor));
}

class RequestScan implements MessageEditor {
  private readonly makeVisitor: () => ScanVisitor;
  private visitor: ScanVisitor | null = null;
  private scanner: FieldScanner | null = null;
  private left = 0;

  constructor(makeVisitor: () => ScanVisitor) {
    this.makeVisitor = makeVisitor;
  }

  wants(): boolean {
    return true;
  }

  begin(length: number, out: Outflow): void {
    this.visitor = this.makeVisitor();
    this.scanner = new FieldScanner(this.visitor);
    this.left = length;
    // An empty message is whole with its prefix.
    if (length === 0) this.complete();
    out.insert(prefix(length));
  }

  bytes(buffer: Buffer, start: number, end: number, out: Outflow): void {
    this.scanner!.feed(buffer, start, end);
    this.left -= end - start;
    if (this.left === 0) this.complete();
    out.pass(buffer, start, end);
  }

  end(): void {
    this.visitor = null;
    this.scanner = null;
  }

  private complete(): void {
    this.scanner!.finish();
    this.visitor!.complete();
  }
}
