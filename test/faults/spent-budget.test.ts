import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { message, request } from "../support/raw-h2/client.ts";
import { end, OK_HEADERS, OK_TRAILERS, serveEcho } from "../support/raw-h2/echo.ts";
import { Bit } from "../support/raw-h2/frames.ts";
import { wholeCall } from "../support/raw-h2/front-door-cases.ts";
import { headOf, RelayBed } from "../support/raw-h2/relay-bed.ts";
import { ending } from "../support/raw-h2/upstream-cases.ts";

// A budget that is used up slows calls down; it stops none but those that ask for much.

let bed: RelayBed;
before(async () => {
  // Less than the windows that a pair of connections is born with.
  bed = await RelayBed.start({ limits: { bufferBudgetBytes: 65_536 } });
});
after(() => bed.stop());

test("a large head is refused while it would have to wait, and passes when it need not", async () => {
  const client = await bed.client();
  const large = request("/test.Echo/Call", [["x-large", "v".repeat(60_000)]]);
  client.sendHeaders(1, large);
  const record = await client.outcome(1);
  assert.equal(ending(record), "status 8");
  assert.match(record.last("grpc-message")!, /budget of 65536 bytes/);
  client.sendHeaders(3, request());
  const upstream = await bed.upstream();
  await headOf(upstream, 1);
  client.sendHeaders(5, large, Bit.END_STREAM);
  assert.equal((await headOf(upstream, 3)).headers.at(-1)![1].length, 60_000);
  for (const stream of [1, 3]) {
    upstream.sendHeaders(stream, OK_HEADERS);
    upstream.sendHeaders(stream, OK_TRAILERS, Bit.END_STREAM);
  }
  client.send(end(3));
  for (const stream of [3, 5]) assert.equal(ending(await client.outcome(stream)), "status 0");
});

test("ordinary calls go on, those that wait for a connection included, and large bodies pass", async () => {
  bed.onUpstream(serveEcho);
  for (let n = 0; n < 5; n++) {
    const client = await bed.client();
    await wholeCall(client, 1);
    const body = message(Buffer.alloc(1_000_000, "body"));
    client.sendHeaders(3, request());
    await client.sendBody(3, body);
    const record = await client.outcome(3);
    assert.equal(ending(record), "status 0");
    assert.ok(record.bytes().equals(body));
  }
});
