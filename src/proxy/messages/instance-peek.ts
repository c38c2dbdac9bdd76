import { constants, gunzipSync, inflateSync } from "node:zlib";
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

/**
 * Finds the instance that the first message of a call names, or else the operation, while its bytes come, cut anywhere: known when
 * field 1 ends or one with a higher number begins. Looks at no more than 64 KiB.
 */
export class InstancePeek {
  private readonly path: string;
  private readonly encoding: string;
  private seen: Buffer = Buffer.alloc(0);

  /** `path` is a method whose messages name their instance or operation in field 1; `encoding` the value of `grpc-encoding`. */
  constructor(path: string, encoding: string) {
    this.path = path;
    this.encoding = encoding;
  }

  /**
   * Takes the next bytes of the request; the instance as soon as it is known, else null.
   * @throws CallError INVALID_ARGUMENT for a field that comes twice and for broken bytes, RESOURCE_EXHAUSTED where it does not show in
   * time, UNIMPLEMENTED for a compression that cannot be read.
   */
  feed(buffer: Buffer, start: number, end: number): string | null {
    const room = MOST - this.seen.length;
    this.seen = Buffer.concat([this.seen, buffer.subarray(start, Math.min(end, start + room))]);
    const { seen } = this;
    if (seen.length < PREFIX_BYTES) return null;
    const length = seen.readUInt32BE(1);
    const body = seen.subarray(PREFIX_BYTES, PREFIX_BYTES + length);
    const found = this.look(seen[0] === 1 ? this.inflated(body) : body, body.length === length);
    if (found === null && seen.length === MOST) {
      const text = `field 1 of the first message does not show within its first ${MOST} bytes, so that the bridge cannot tell its instance`;
      throw new CallError(Status.RESOURCE_EXHAUSTED, text);
    }
    return found === null || !namesInstance(this.path) ? found : instanceIn(this.path, found);
  }

  private look(message: Buffer, whole: boolean): string | null {
    const visitor = new FirstField();
    try {
      new FieldScanner(visitor).feed(message);
    } catch (error) {
      throw error instanceof WireError ? wireFailure(error) : error;
    }
    return visitor.decided || whole ? visitor.text : null;
  }

  /** The beginning of a compressed message, as far as it came. */
  private inflated(body: Buffer): Buffer {
    const options = { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: MOST_INFLATED };
    try {
      if (this.encoding === "gzip") return gunzipSync(body, options);
      if (this.encoding === "deflate") return inflateSync(body, options);
    } catch (error) {
      const why = (error as Error).message;
      throw new CallError(Status.INTERNAL, `a message is not valid ${this.encoding}: ${why}`);
    }
    throw unreadableEncoding(this.encoding);
  }
}

/** Gathers the first field 1 and sees whether another follows. */
class FirstField implements FieldVisitor {
  text = "";
  decided = false;
  private found = false;

  field(number: number, wireType: number, length: number): number {
    if (number !== 1) {
      this.decided ||= number > 1;
      return Take.SKIP;
    }
    if (this.found || this.decided) {
      const text =
        "field 1 of the first message comes twice or after a higher one: its instance cannot be told";
      throw new CallError(Status.INVALID_ARGUMENT, text);
    }
    this.found = true;
    return wireType === WireType.LEN && length <= MOST ? Take.GATHER : Take.SKIP;
  }

  value(_number: number, _wireType: number, payload: Buffer): void {
    this.text = payload.toString();
    this.decided = true;
  }
}
