import assert from "node:assert/strict";
import { test } from "node:test";
import { makeField } from "../../../src/http2/hpack/field.ts";
import { internName } from "../../../src/http2/hpack/name.ts";
import { shippedProfiles } from "../../../src/peers/read-profile.ts";
import { ClientPeers, UNKNOWN_CLIENT } from "../../../src/proxy/routing/client-peers.ts";
import { codec } from "../../../src/spec/codec.ts";
import { encodeBinaryHeader } from "../../../src/wire/binary-header.ts";

const HEADER = internName("build.bazel.remote.execution.v2.requestmetadata-bin");
const catalogue = shippedProfiles();

function bytes(toolName: string, toolVersion: string, actionId = "a"): Buffer {
  const message = { toolDetails: { toolName, toolVersion }, actionId };
  return codec().encode("build.bazel.remote.execution.v2.RequestMetadata", message);
}

const header = (value: Buffer) => makeField(HEADER, encodeBinaryHeader(value));

/** Names of the lines that calls with these values are taken to be from, one after the other. */
function recognised(peers: ClientPeers, ...values: readonly Buffer[]): string[] {
  return values.map((value) => {
    const { lines } = peers.in([header(value)]);
    assert.ok(typeof lines !== "string");
    return lines.map(({ name }) => name).join();
  });
}

test("clients are told apart by tool and version, also where values begin alike", () => {
  const peers = new ClientPeers(catalogue);
  const [old, young, other] = recognised(
    peers,
    bytes("bazel", "5.4.0"),
    bytes("bazel", "8.0.0"),
    bytes("buck2", "1"),
  );
  assert.match(old!, /^bazel@5/);
  assert.match(young!, /^bazel@8/);
  assert.match(other!, /^buck2/);
  const [longer, ...same] = recognised(
    peers,
    bytes("bazel", "5.4.01"),
    bytes("bazel", "5.4.0"),
    bytes("bazel", "5.4.0", "another action"),
  );
  assert.ok(longer !== undefined);
  assert.deepEqual(same, [old, old]);
});

test("the same client is the same object, call by call and over again", () => {
  const peers = new ClientPeers(catalogue);
  const first = peers.in([header(bytes("bazel", "8.0.0"))]);
  const field = header(bytes("bazel", "8.0.0", "b"));
  assert.equal(peers.in([field]), first);
  assert.equal(peers.in([field]), first);
  assert.equal(peers.in([header(bytes("buck2", "1"))]) === first, false);
  assert.equal(peers.in([field]), first);
  assert.equal(peers.of(catalogue.resolve("client", "bazel@8.0")), first);
});

test("calls that say nothing of a tool, or cannot be read, are of nobody known, whatever came before and after", () => {
  const peers = new ClientPeers(catalogue);
  const good = bytes("bazel", "8.0.0");
  const broken = Buffer.concat([good, Buffer.from([0xff])]);
  assert.equal(peers.in([]), UNKNOWN_CLIENT);
  assert.equal(peers.in([header(broken)]), UNKNOWN_CLIENT);
  assert.notEqual(peers.in([header(good)]), UNKNOWN_CLIENT, "the broken one does not speak for it");
  for (const value of [Buffer.alloc(0), bytes("nobody", "1"), good.subarray(0, 4)]) {
    assert.equal(peers.in([header(value)]), UNKNOWN_CLIENT);
  }
  assert.equal(peers.in([makeField(HEADER, "not base64!")]), UNKNOWN_CLIENT);
});

test("any number of tools is told apart", () => {
  const peers = new ClientPeers(catalogue);
  for (let i = 0; i < 3_000; i++) assert.equal(peers.in([header(bytes(`tool${i}`, "1"))]), UNKNOWN_CLIENT);
  assert.notEqual(peers.in([header(bytes("bazel", "8.0.0"))]), UNKNOWN_CLIENT);
});

test("what old clients encode twice is read", () => {
  const peers = new ClientPeers(catalogue);
  const twice = Buffer.from(bytes("bazel", "0.17.2").toString("base64"));
  assert.match(recognised(peers, twice)[0]!, /^bazel@/);
});
