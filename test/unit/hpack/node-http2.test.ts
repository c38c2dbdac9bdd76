import assert from "node:assert/strict";
import { once } from "node:events";
import http2 from "node:http2";
import { describe, test } from "node:test";
import { type Field, makeField } from "../../../src/http2/hpack/field.ts";
import { connectThroughRelay } from "./node-relay.ts";
import { seeded } from "./support.ts";

interface Headers extends Record<string, string | string[]> {
  authorization?: string;
  [http2.sensitiveHeaders]?: string[];
}

const CALLS = 150;
const respondOptions = { waitForTrailers: true, sendDate: false };

/** Header values of every kind: repeated, fresh, short, long, and any character that is allowed. */
function randomHeaders(random: () => number): Headers {
  const headers: Headers = {};
  const count = Math.floor(random() * 8);
  for (let i = 0; i < count; i++) {
    headers[`x-${Math.floor(random() * 12)}${"-long".repeat(Math.floor(random() * 3))}`] =
      random() < 0.5 ? `fixed ${Math.floor(random() * 4)}` : randomValue(random);
  }
  if (random() < 0.3) headers["x-many"] = ["a", randomValue(random), "a"];
  if (random() < 0.3) {
    headers.authorization = `Bearer ${randomValue(random)}`;
    headers[http2.sensitiveHeaders] = ["authorization"];
  }
  return headers;
}

function randomValue(random: () => number): string {
  const low = random() < 0.7 ? 0x21 : 0x80;
  const length = Math.floor(random() ** 3 * 400) + 1;
  return Array.from({ length }, () => String.fromCharCode(low + Math.floor(random() * 94))).join("");
}

function comparable(headers: object): Record<string, string> {
  const rest = Object.entries(headers).filter(([name]) => !name.startsWith(":"));
  return Object.fromEntries(rest.map(([name, value]) => [name, String(value).replaceAll(", ", ",")]));
}

function sensitive(headers: object): string[] {
  return [...((headers as { [http2.sensitiveHeaders]?: string[] })[http2.sensitiveHeaders] ?? [])];
}

/** Runs calls with random headers both ways and compares what one end sent with what the other end got. */
async function exchange(
  seed: number,
  change: (fields: Field[]) => Field[],
  tableSizes: readonly number[],
): Promise<void> {
  const random = seeded(seed);
  const [first = 4096, ...later] = tableSizes;
  const settings = { headerTableSize: first };
  const { client, server, close } = await connectThroughRelay(change, { client: settings, server: settings });
  const failures: unknown[] = [];
  let expected: object = {};
  let reply: object = {};
  let trailers: object = {};
  server.on("stream", (stream: http2.ServerHttp2Stream, headers) => {
    try {
      assert.deepEqual(comparable(headers), comparable(expected));
      assert.deepEqual(sensitive(headers), sensitive(expected));
    } catch (error) {
      failures.push(error);
    }
    stream.respond({ ":status": 200, ...reply }, respondOptions);
    stream.on("wantTrailers", () => stream.sendTrailers(trailers as http2.OutgoingHttpHeaders));
    stream.end();
  });
  for (let call = 0; call < CALLS; call++) {
    expected = randomHeaders(random);
    reply = randomHeaders(random);
    trailers = { "grpc-status": "0", ...randomHeaders(random) };
    const stream = client.request(
      { ":method": "POST", ":path": "/service/method", ...expected },
      { endStream: true },
    );
    let got: object = {};
    let gotTrailers: object = {};
    stream.on("response", (headers) => (got = headers));
    stream.on("trailers", (headers) => (gotTrailers = headers));
    stream.resume();
    await once(stream, "close");
    assert.deepEqual(comparable(got), comparable(reply));
    assert.deepEqual(sensitive(got), sensitive(reply));
    assert.deepEqual(comparable(gotTrailers), comparable(trailers));
    const size = later[call % 10 === 9 ? Math.floor(call / 10) : later.length];
    if (size !== undefined)
      await new Promise((resolve) => client.settings({ headerTableSize: size }, resolve));
  }
  await close();
  assert.deepEqual(failures, []);
}

describe("between a client and a server of node:http2 every field arrives as it was sent", {
  timeout: 60_000,
}, () => {
  const asItIs = (fields: Field[]): Field[] => fields;
  const sizes = [4096, 0, 4096, 100, 65536, 333, 4096, 1000];

  test("forwarded", () => exchange(1, asItIs, []));
  test("forwarded with a small table", () => exchange(2, asItIs, [256]));
  test("forwarded while table sizes change", () => exchange(3, asItIs, sizes));
  test("forwarded without a table", () => exchange(4, asItIs, [0]));

  test("made anew from text", () => {
    const random = seeded(99);
    const anew = (fields: Field[]): Field[] =>
      fields.map((field) =>
        makeField(field.name, field.value, { neverIndexed: field.neverIndexed, index: random() < 0.7 }),
      );
    return exchange(5, anew, sizes);
  });
});
