import { constants, gunzipSync, inflateSync } from "node:zlib";
import { ownCopy } from "../../http2/headroom.ts";
import { PREFIX_BYTES } from "../../wire/envelope.ts";
import { FieldScanner, type FieldVisitor, Take } from "../../wire/field-scanner.ts";
import { Status } from "../../wire/status.ts";
import { WireType } from "../../wire/walker.ts";
import { WireError } from "../../wire/wire-error.ts";
import { instanceIn, namesInstance } from "../lanes/instance-of.ts";
import { CallError, wireFailure } from "./call-error.ts";
import { unreadableEncoding } from "./inflate.ts";

/** Bytes in which the instance has to show; real names are in the first hundred. */
const MOST = 64 * 1024;
/** What a compressed beginning may inflate to. */
const MOST_INFLATED = 16 * MOST;
/** Bytes of a compressed beginning before it is first inflated, unless it is whole: names fit. */
const FIRST_INFLATED = 1024;

/**
 * Finds the instance that the first message of a call names, or else the operation, while its bytes come, cut anywhere: known when a field other than the first
 * one begins or the message ends, so that a second field 1 does not escape. Looks at no more than 64 KiB, and at each byte once; at
 * those of compressed messages a few times.
 */
export class InstancePeek {
  private readonly path: string;
  private readonly encoding: string;
  private readonly prefix = Buffer.alloc(PREFIX_BYTES);
  /** Bytes that came, those of the prefix included. */
  private seen = 0;
  private body: BodyPeek | null = null;

  /** `path` is a method whose messages name their instance; `encoding` the value of `grpc-encoding`. */
  constructor(path: string, encoding: string) {
    this.path = path;
    this.encoding = encoding;
  }

  /**
   * Takes the next bytes of the request; the instance as soon as it is known, else null.
   * @throws CallError INVALID_ARGUMENT for a field that comes twice and for broken bytes, RESOURCE_EXHAUSTED where it does not show
   * in time, UNIMPLEMENTED or INTERNAL for a compression that cannot be read.
   */
  feed(buffer: Buffer, start: number, end: number): string | null {
    const last = Math.min(end, start + MOST - this.seen);
    let at = start;
    while (at < last && this.seen < PREFIX_BYTES) this.prefix[this.seen++] = buffer[at++]!;
    if (this.seen < PREFIX_BYTES) return null;
    this.body ??= this.begin();
    this.seen += last - at;
    const found = this.body.feed(buffer, at, last);
    if (found === null && this.seen === MOST) throw notShown();
    return found === null || !namesInstance(this.path) ? found : instanceIn(this.path, found);
  }

  private begin(): BodyPeek {
    const length = this.prefix.readUInt32BE(1);
    if (this.prefix[0] !== 1) return new PlainPeek(length);
    return new CompressedPeek(length, inflaterOf(this.encoding));
  }
}

/** Takes bytes of the body; the text of field 1 when it is known, empty where it is absent. */
interface BodyPeek {
  feed(buffer: Buffer, start: number, end: number): string | null;
}

class PlainPeek implements BodyPeek {
  private readonly visitor = new FirstField();
  private readonly scanner = new FieldScanner(this.visitor);
  private left: number;

  constructor(length: number) {
    this.left = length;
  }

  feed(buffer: Buffer, start: number, end: number): string | null {
    const last = Math.min(end, start + this.left);
    this.left -= last - start;
    try {
      this.scanner.feed(buffer, start, last);
      if (this.left === 0) this.scanner.finish();
    } catch (error) {
      throw error instanceof WireError ? wireFailure(error) : error;
    }
    return this.visitor.decided || this.left === 0 ? this.visitor.text : null;
  }
}

/** Inflates anew each time twice as much has come. */
class CompressedPeek implements BodyPeek {
  private readonly pieces: Buffer[] = [];
  private readonly length: number;
  private readonly inflate: (body: Buffer) => Buffer;
  private held = 0;
  private next = FIRST_INFLATED;

  constructor(length: number, inflate: (body: Buffer) => Buffer) {
    this.length = length;
    this.inflate = inflate;
  }

  feed(buffer: Buffer, start: number, end: number): string | null {
    const last = Math.min(end, start + this.length - this.held);
    this.pieces.push(ownCopy(buffer, start, last));
    this.held += last - start;
    const whole = this.held === this.length;
    if (!whole && this.held < this.next) return null;
    this.next = this.held * 2;
    const inflated = this.inflate(Buffer.concat(this.pieces));
    return new PlainPeek(whole ? inflated.length : Number.POSITIVE_INFINITY).feed(
      inflated,
      0,
      inflated.length,
    );
  }
}

/** What inflates the beginning of a message, as far as it came. */
function inflaterOf(encoding: string): (body: Buffer) => Buffer {
  const options = { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: MOST_INFLATED };
  const inflate = encoding === "gzip" ? gunzipSync : encoding === "deflate" ? inflateSync : null;
  if (inflate === null) throw unreadableEncoding(encoding);
  return (body) => {
    try {
      return inflate(body, options);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE") throw notShown();
      const why = (error as Error).message;
      throw new CallError(Status.INTERNAL, `a message is not valid ${encoding}: ${why}`);
    }
  };
}

function notShown(): CallError {
  const text = `field 1 of the first message does not show within its first ${MOST} bytes, so that the bridge cannot tell its instance`;
  return new CallError(Status.RESOURCE_EXHAUSTED, text);
}

/** Gathers the first field 1 and sees whether another follows. */
class FirstField implements FieldVisitor {
  text = "";
  decided = false;
  private found = false;

  field(number: number, wireType: number, length: number): number {
    if (number !== 1) {
      this.decided ||= this.found || number > 1;
      return Take.SKIP;
    }
    if (this.found || this.decided) {
      const text =
        "field 1 of the first message comes twice or after a higher one: its instance cannot be told";
      throw new CallError(Status.INVALID_ARGUMENT, text);
    }
    this.found = true;
    if (length > MOST) throw notShown();
    return wireType === WireType.LEN ? Take.GATHER : Take.SKIP;
  }

  value(_number: number, _wireType: number, payload: Buffer): void {
    this.text = payload.toString();
  }
}
