import type { Connection } from "./connection.ts";
import { ErrorCode, Flag, FrameType } from "./constants.ts";
import type { FrameHandler } from "./frame-parser.ts";
import { dependency, frameProblem, headersFragment, unexpected } from "./frame-rules.ts";
import { HeaderBlock } from "./header-block.ts";
import { takeRequest, takeResponse } from "./header-intake.ts";
import { HpackDecoder, HpackError } from "./hpack/decoder.ts";
import type { Field } from "./hpack/field.ts";

/**
 * What the frames of the peer do to a connection (RFC 9113 sections 5 and 6): checks that each may come now, counts those that cost work and
 * move nothing, and tells the connection or the stream that is concerned.
 */
export class FrameReceiver implements FrameHandler {
  private readonly connection: Connection;
  private readonly decoder = new HpackDecoder();
  private readonly block: HeaderBlock;

  /** `maxHeaderList` is the largest header list, in bytes as section 6.5.2 counts them. */
  constructor(connection: Connection, maxHeaderList: number) {
    this.connection = connection;
    this.block = new HeaderBlock(2 * maxHeaderList);
    this.decoder.maxListSize = maxHeaderList;
  }

  onData(id: number, buffer: Buffer, start: number, end: number, fin: boolean, padding: number): void {
    const { connection } = this;
    if (connection.closed) return;
    if (this.block.streamId !== 0 || !connection.settled) return this.unexpected(FrameType.DATA);
    const bytes = end - start + padding;
    if (bytes === 0 && !fin) this.overhead();
    else connection.guards.overhead.earn();
    const stream = connection.streams.get(id);
    let held = 0;
    if (stream === undefined) this.dataOnClosed(id);
    else if (stream.remoteDone) stream.fail(ErrorCode.STREAM_CLOSED, "data after the end of the stream");
    else if (!stream.headReceived) stream.fail(ErrorCode.PROTOCOL_ERROR, "data before the response's head");
    else held = stream.receive(buffer, start, end, fin, padding);
    if (!connection.receiveWindow.received(bytes, held)) {
      connection.fail(ErrorCode.FLOW_CONTROL_ERROR, "more data than the connection's window allows");
    }
  }

  onFrame(type: number, flags: number, id: number, buffer: Buffer, start: number, end: number): void {
    const { connection } = this;
    if (connection.closed) return;
    if (this.block.streamId !== 0 && (type !== FrameType.CONTINUATION || id !== this.block.streamId)) {
      return this.unexpected(type);
    }
    if (!connection.settled && (type !== FrameType.SETTINGS || (flags & Flag.ACK) !== 0))
      return this.unexpected(type);
    const problem = frameProblem(type, flags, id, end - start);
    if (problem !== null) return connection.fail(problem.code, problem.why);
    switch (type) {
      case FrameType.HEADERS:
        return this.onHeaders(flags, id, buffer, start, end);
      case FrameType.CONTINUATION:
        return this.onContinuation(flags, id, buffer, start, end);
      case FrameType.WINDOW_UPDATE:
        return this.onWindowUpdate(id, buffer.readUInt32BE(start) & 0x7fff_ffff);
      case FrameType.RST_STREAM:
        return this.onReset(id, buffer.readUInt32BE(start));
      case FrameType.SETTINGS:
        return this.onSettings(flags, buffer, start, end);
      case FrameType.PING:
        return this.onPing(flags, buffer, start, end);
      case FrameType.GOAWAY:
        return this.onGoAway(buffer, start, end);
      case FrameType.PRIORITY:
        return this.onPriority(id, buffer, start, end);
      default:
        this.overhead();
    }
  }

  onViolation(code: number, why: string): void {
    this.connection.fail(code, why);
  }

  private onHeaders(flags: number, id: number, buffer: Buffer, from: number, to: number): void {
    const fragment = headersFragment(flags, id, buffer, from, to);
    if ("code" in fragment) return this.connection.fail(fragment.code, fragment.why);
    const { start, end } = fragment;
    const fin = (flags & Flag.END_STREAM) !== 0;
    if ((flags & Flag.END_HEADERS) !== 0) return this.onBlock(id, fin, buffer, start, end);
    this.gather(this.block.begin(id, fin, buffer, start, end));
  }

  private onContinuation(flags: number, id: number, buffer: Buffer, start: number, end: number): void {
    if (this.block.streamId === 0) return this.unexpected(FrameType.CONTINUATION);
    this.gather(this.block.add(buffer, start, end));
    if (this.connection.closed || (flags & Flag.END_HEADERS) === 0) return;
    const { fin } = this.block;
    const block = this.block.finish();
    this.onBlock(id, fin, block, 0, block.length);
  }

  private gather(code: number): void {
    if (code !== ErrorCode.NO_ERROR) this.connection.fail(code, "a header block beyond the limit");
  }

  private onBlock(id: number, fin: boolean, buffer: Buffer, start: number, end: number): void {
    const { connection, decoder } = this;
    const fields: Field[] = [];
    try {
      decoder.decode(buffer, start, end, fields);
    } catch (error) {
      if (!(error instanceof HpackError)) throw error;
      return connection.fail(ErrorCode.COMPRESSION_ERROR, error.message);
    }
    const known = connection.streams.get(id);
    if (known !== undefined) {
      takeResponse(known, fields, fin, decoder);
      // There may be any number of 1xx responses, and no flow control of them.
      return known.headReceived ? connection.guards.overhead.earn() : this.overhead();
    }
    connection.guards.overhead.earn();
    if (!connection.ids.isNew(id)) return this.headersOnClosed(id);
    const stream = connection.accept(id);
    if (stream !== null && takeRequest(stream, fields, fin, decoder)) {
      connection.owner.request(stream, fields, fin, decoder.tooLarge);
    }
  }

  private onWindowUpdate(id: number, increment: number): void {
    const { connection } = this;
    const stream = id === 0 ? connection : connection.streams.get(id);
    if (stream === undefined) {
      if (connection.ids.isIdle(id)) this.unexpected(FrameType.WINDOW_UPDATE);
    } else if (increment === 0) {
      stream.fail(ErrorCode.PROTOCOL_ERROR, "WINDOW_UPDATE of 0");
    } else if (!stream.grant(increment)) {
      stream.fail(ErrorCode.FLOW_CONTROL_ERROR, "a window above 2^31 - 1");
    } else {
      connection.sendQueued();
    }
  }

  private onReset(id: number, code: number): void {
    const { connection } = this;
    if (connection.ids.isIdle(id)) return this.unexpected(FrameType.RST_STREAM);
    if (connection.server) connection.countReset();
    const stream = connection.streams.get(id);
    if (stream === undefined || connection.closed) return;
    connection.counters.resetsTotal++;
    stream.abort(code, null);
  }

  private onSettings(flags: number, buffer: Buffer, start: number, end: number): void {
    if ((flags & Flag.ACK) !== 0) return;
    this.overhead();
    if (!this.connection.closed) this.connection.applyPeerSettings(buffer, start, end);
  }

  private onPing(flags: number, buffer: Buffer, start: number, end: number): void {
    if ((flags & Flag.ACK) !== 0) return this.connection.pingAnswered(buffer.subarray(start, end));
    this.overhead();
    if (!this.connection.closed) this.connection.writer.ping(true, buffer, start);
  }

  private onGoAway(buffer: Buffer, start: number, end: number): void {
    this.overhead();
    if (this.connection.closed) return;
    const debug = buffer.toString("latin1", start + 8, Math.min(end, start + 264)).replace(/[^ -~]/g, "?");
    const last = buffer.readUInt32BE(start) & 0x7fff_ffff;
    this.connection.peerLeaves(last, buffer.readUInt32BE(start + 4), debug);
  }

  private onPriority(id: number, buffer: Buffer, start: number, end: number): void {
    this.overhead();
    const stream = this.connection.streams.get(id);
    if (end - start !== 5) stream?.fail(ErrorCode.FRAME_SIZE_ERROR, "PRIORITY of the wrong size");
    else if (dependency(buffer, start) === id)
      stream?.fail(ErrorCode.PROTOCOL_ERROR, "a stream that depends on itself");
  }

  private dataOnClosed(id: number): void {
    const { connection } = this;
    if (connection.ids.isIdle(id)) return this.unexpected(FrameType.DATA);
    if (connection.ids.wasReset(id)) return;
    connection.reset(id, ErrorCode.STREAM_CLOSED);
    connection.countReset();
  }

  private headersOnClosed(id: number): void {
    const { ids } = this.connection;
    if (ids.isIdle(id) || ids.wasSkipped(id)) return this.unexpected(FrameType.HEADERS);
    if (!ids.wasReset(id))
      this.connection.fail(ErrorCode.STREAM_CLOSED, `headers on stream ${id}, which is closed`);
  }

  private overhead(): void {
    if (this.connection.guards.overhead.take(Date.now())) return;
    this.connection.fail(ErrorCode.ENHANCE_YOUR_CALM, "too many frames that carry nothing");
  }

  private unexpected(type: number): void {
    const { code, why } = unexpected(type);
    this.connection.fail(code, why);
  }
}
