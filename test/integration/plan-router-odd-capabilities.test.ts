import assert from "node:assert/strict";
import { test } from "node:test";
import type { Api } from "../../src/client/api.ts";
import { codec } from "../../src/spec/codec.ts";
import { GET_CAPABILITIES } from "../../src/translators/methods.ts";
import { FieldWriter } from "../../src/wire/field-writer.ts";
import { bridgeTo } from "../support/bridge.ts";
import { capabilities } from "../support/capabilities.ts";
import { CallFailed, ReapiClient, V2 } from "../support/reapi-client.ts";
import { recordingServer } from "../support/recording-server.ts";

// Capabilities as no server should state them.

const FIND = `/${V2}.ContentAddressableStorage/FindMissingBlobs`;
const NOTHING = Buffer.alloc(0);

type Answer = { readonly window: string } | { readonly error: string };

/** What a client is told before a server that says `message`; any other call has to work. */
async function told(t: test.TestContext, message: Buffer): Promise<Answer> {
  const server = await recordingServer(t, { "Capabilities/GetCapabilities": () => message });
  const client = new ReapiClient(t, (await bridgeTo(t, server.address)).address);
  assert.deepEqual(await client.unaryBytes(FIND, NOTHING), NOTHING);
  try {
    const answer = await client.unaryBytes(GET_CAPABILITIES, NOTHING);
    return { window: windowIn(codec().decode(`${V2}.ServerCapabilities`, answer)) };
  } catch (error) {
    assert.ok(error instanceof CallFailed, String(error));
    return { error: `${error.code} ${error.message}` };
  }
}

function windowIn({
  deprecatedApiVersion,
  lowApiVersion,
  highApiVersion,
}: Api<"ServerCapabilities">): string {
  const text = (version: typeof highApiVersion) =>
    version === null ? "-" : `${version.major}.${version.minor}${version.prerelease}`;
  return [deprecatedApiVersion, lowApiVersion, highApiVersion].map(text).join(" ");
}

const two = { major: 2, minor: 0 };
const CASES: readonly [name: string, message: Buffer, expected: Answer][] = [
  [
    "99.9 is cut to the newest there is",
    capabilities(0, { highApiVersion: { major: 99, minor: 9 } }),
    { window: "- 2.0 2.12" },
  ],
  ["a later minor version is cut as well", capabilities(77), { window: "- 2.0 2.12" }],
  [
    "a prerelease counts as what it precedes, and is told as it is",
    capabilities(3, { highApiVersion: { major: 2, minor: 3, prerelease: "-rc1" } }),
    { window: "- 2.0 2.3-rc1" },
  ],
  [
    "no versions become those of the oldest and what serves all",
    capabilities(0, { lowApiVersion: null, highApiVersion: null }),
    { window: "- 2.0 2.0" },
  ],
  [
    "a low version above the high one",
    capabilities(1, { lowApiVersion: { major: 2, minor: 3 } }),
    { window: "- 2.0 2.1" },
  ],
  [
    "major 3 of services of version 2 is no more than the newest",
    capabilities(0, { lowApiVersion: { major: 3 }, highApiVersion: { major: 3 } }),
    { window: "- 2.0 2.12" },
  ],
  [
    "a deprecated version",
    capabilities(4, { deprecatedApiVersion: two, lowApiVersion: { major: 2, minor: 2 } }),
    { window: "- 2.0 2.4" },
  ],
];

for (const [name, message, expected] of CASES) {
  test(`versions: ${name}`, async (t) => {
    assert.deepEqual(await told(t, message), expected);
  });
}

test("an empty answer is one of a server without parts", async (t) => {
  assert.deepEqual(await told(t, NOTHING), { window: "- 2.0 2.0" });
});

test("bytes that are no message teach nothing, and end the call that asked for them", async (t) => {
  const answer = await told(t, Buffer.from("0affffffffff", "hex"));
  assert.match(
    (answer as { error: string }).error,
    /^13 the upstream 127\.0\.0\.1:\d+ answered GetCapabilities with bytes/,
  );
});

test("capabilities of megabytes pass, with what is not known in them, and cost other calls nothing", async (t) => {
  const ballast = new FieldWriter();
  ballast.bytes(1000, Buffer.alloc(3 * 1024 * 1024, "b"));
  const large = Buffer.concat([capabilities(3), ballast.toBuffer()]);
  const server = await recordingServer(t, { "Capabilities/GetCapabilities": () => large });
  const client = new ReapiClient(t, (await bridgeTo(t, server.address)).address);
  assert.deepEqual(await client.unaryBytes(FIND, NOTHING), NOTHING);
  const answer = await client.unaryBytes(GET_CAPABILITIES, NOTHING);
  assert.ok(answer.includes(ballast.toBuffer()));
  assert.equal(windowIn(codec().decode(`${V2}.ServerCapabilities`, answer)), "- 2.0 2.3");
});
