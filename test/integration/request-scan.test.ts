import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { gzipSync } from "node:zlib";
import { CallError } from "../../src/proxy/messages/call-error.ts";
import type { FilterMaker } from "../../src/proxy/messages/relay-filter.ts";
import { ScanObserver, type ScanVisitor, scanRequest } from "../../src/proxy/messages/request-scan.ts";
import { FieldScanner, Take } from "../../src/wire/field-scanner.ts";
import { FieldWriter } from "../../src/wire/field-writer.ts";
import { atRest } from "../support/at-rest.ts";
import { bridgeTo } from "../support/bridge.ts";
import { connectRaw, message, request } from "../support/raw-h2/client.ts";
import { startEcho } from "../support/raw-h2/echo.ts";
import * as h2 from "../support/raw-h2/frames.ts";

// A relayed method that refuses what the upstream would not understand: here field 3 inside of any field 1, and more than 3 fields 1.

class Visitor implements ScanVisitor {
  private entries = 0;
  field(number: number, _wireType: number, _length: number, depth: number): number {
    if (depth === 0 && number === 1) {
      this.entries++;
      return Take.ENTER;
    }
    return depth === 1 && number === 3 ? Take.GATHER : Take.SKIP;
  }
  value(_number: number, _wireType: number, payload: Buffer): void {
    // The default says nothing.
    if (payload.some((byte) => byte !== 0)) throw new CallError(12, "the upstream knows no field 3");
  }
  complete(): void {
    if (this.entries > 3) throw new CallError(8, "more than 3 entries");
  }
}

function entries(...third: (number | null)[]): Buffer {
  const outer = new FieldWriter();
  for (const value of third) {
    const inner = new FieldWriter();
    inner.text(1, "hash");
    if (value !== null) inner.varint(3, value);
    inner.bytes(4, Buffer.alloc(2000, "d"));
    outer.bytes(1, Buffer.concat(inner.finish()));
  }
  return Buffer.concat(outer.finish());
}

const FILTER = scanRequest(() => [new Visitor()]);

/** The same filter as it is made for what is only looked at: nothing is held, and a message in one piece needs no filter. */
const OBSERVER: FilterMaker = Object.assign(
  scanRequest(() => [new Visitor()]),
  {
    look(buffer: Buffer, start: number, end: number) {
      const visitor = new Visitor();
      const scanner = new FieldScanner(visitor);
      scanner.feed(buffer, start, end);
      scanner.finish();
      visitor.complete();
    },
    observe: () => new ScanObserver(() => new Visitor()),
  },
);

type Extra = [string, string][];

async function scanned(t: TestContext, filter: FilterMaker, body: Buffer, step: number, extra: Extra = []) {
  const upstream = await startEcho();
  t.after(() => upstream.close());
  const routes = new Map([["/test.Echo/Call", { lane: "relay", filter } as const]]);
  const bridge = await bridgeTo(t, upstream.address, {}, { routes });
  await upstream.nextPeer();
  const client = await connectRaw(bridge.address);
  client.sendHeaders(1, request("/test.Echo/Call", extra));
  for (let at = 0; at < body.length; at += step) client.send(h2.data(1, body.subarray(at, at + step)));
  client.send(h2.data(1, Buffer.alloc(0), h2.Bit.END_STREAM));
  const record = await client.outcome(1);
  const peer = await upstream.nextPeer();
  await client.fence();
  client.close();
  await atRest(bridge);
  return { record, seen: peer.stream(1) };
}

for (const [how, filter] of [
  ["filtered", FILTER],
  ["observed", OBSERVER],
] as const) {
  for (const step of [1, 100, 16_384]) {
    test(`${how}: what is understood passes untouched, in frames of ${step} bytes`, async (t) => {
      const body = Buffer.concat([
        message(entries(null, 0)),
        message(Buffer.alloc(0)),
        message(entries(null)),
      ]);
      const { record } = await scanned(t, filter, body, step);
      assert.equal(record.grpcStatus, 0);
      assert.deepEqual(record.bytes(), body);
    });

    test(`${how}: what is not is refused, and the upstream never has the whole message, in frames of ${step} bytes`, async (t) => {
      const good = message(entries(null));
      const bad = message(entries(null, 7, null));
      const { record, seen } = await scanned(t, filter, Buffer.concat([good, bad]), step);
      assert.deepEqual(
        [record.grpcStatus, record.last("grpc-message")],
        [12, "the upstream knows no field 3"],
      );
      assert.equal(seen.ended, false);
      assert.equal(seen.reset, h2.Code.CANCEL);
      assert.ok(seen.received < good.length + bad.length);
    });

    test(`${how}: a verdict at the end of a message comes in time, in frames of ${step} bytes`, async (t) => {
      const body = message(entries(null, null, null, null));
      const { record, seen } = await scanned(t, filter, body, step);
      assert.deepEqual([record.grpcStatus, record.last("grpc-message")], [8, "more than 3 entries"]);
      assert.ok(seen.received < body.length);
    });
  }

  test(`${how}: a compressed message is looked at, and goes on as it came`, async (t) => {
    const zipped = (bytes: Buffer): Buffer => {
      const packed = message(gzipSync(bytes));
      packed[0] = 1;
      return packed;
    };
    const fine = Buffer.concat([zipped(entries(null, null)), zipped(entries(null))]);
    assert.deepEqual((await scanned(t, filter, fine, 9, [["grpc-encoding", "gzip"]])).record.bytes(), fine);
    const { record } = await scanned(t, filter, zipped(entries(1)), 9, [["grpc-encoding", "gzip"]]);
    assert.equal(record.grpcStatus, 12);
    const unknown = await scanned(t, filter, zipped(entries(1)), 9, [["grpc-encoding", "snappy"]]);
    assert.equal(unknown.record.grpcStatus, 12);
    assert.match(unknown.record.last("grpc-message") ?? "", /snappy/);
  });

  test(`${how}: one message in one frame`, async (t) => {
    const body = message(entries(null));
    assert.deepEqual((await scanned(t, filter, body, 16_384)).record.bytes(), body);
    assert.equal((await scanned(t, filter, message(entries(1)), 16_384)).record.grpcStatus, 12);
  });

  test(`${how}: a request that ends within a message is refused`, async (t) => {
    const cut = message(entries(null)).subarray(0, -1);
    const { record } = await scanned(t, filter, cut, 100);
    assert.deepEqual(
      [record.grpcStatus, record.last("grpc-message")],
      [13, "the stream ended inside a message"],
    );
  });

  test(`${how}: a message that is marked as compressed in a call that names no compression is refused`, async (t) => {
    const marked = message(entries(null));
    marked[0] = 1;
    const { record } = await scanned(t, filter, marked, 100);
    assert.equal(record.grpcStatus, 13);
    assert.match(record.last("grpc-message") ?? "", /names no compression/);
  });
}
