import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { findH2spec, type H2specCase, runH2spec } from "../support/h2spec.ts";
import { answerAfterRequest, type HttpUpstream, startHttpUpstream } from "../support/http-upstream.ts";
import { type RunningBridge, startBridge } from "../support/raw-h2/bridge.ts";
import { nothingLeft } from "../support/raw-h2/counters.ts";
import { startEcho } from "../support/raw-h2/echo.ts";
import type { RawServer } from "../support/raw-h2/server.ts";

// h2spec (github.com/summerwind/h2spec) against the front door. Its requests are no gRPC, so they travel the side lane to a server that
// sends bodies. The suite follows RFC 7540; where the bridge, following RFC 9113, does something else, the case and the reason stand here.

/** Every case the bridge is meant to fail. */
const DIFFERENCES: Readonly<Record<string, string>> = {
  "http2/3.5: Sends invalid connection preface":
    "The port takes HTTP/1 too, and what the suite sends is nearer to that: it is answered with 400 and a sentence in HTTP/1, then closed. " +
    "RFC 9113 section 3.4 asks for a connection error and lets the GOAWAY be left out, because such a peer does not speak HTTP/2. " +
    "A preface that goes wrong after PRI gets the GOAWAY: see front-door-frames.",
  "http2/5.3.1: Sends PRIORITY frame that depend on itself":
    "RFC 9113 section 5.3.2 withdrew the priority scheme and with it this error. The frame comes on an idle stream, where there is nothing " +
    "to reset; it is ignored. On an open stream, and in HEADERS, it still is an error here.",
};

/** Cases in the three groups, strict ones included; another number means another version of the suite. */
const CASES = 146;

const tool = findH2spec();
const skip = tool === null && "h2spec is not installed; .ci/run installs it, H2SPEC says where it is";

test("docs/conformance.md lists every difference", () => {
  const page = readFileSync("docs/conformance.md", "utf8");
  for (const name of Object.keys(DIFFERENCES)) assert.ok(page.includes(`\`${name}\``), name);
});

for (const readPath of ["auto", "documented"] as const) {
  describe(`h2spec, ${readPath} read path`, { skip }, () => {
    let grpc: RawServer;
    let web: HttpUpstream;
    let bridge: RunningBridge;
    let cases: readonly H2specCase[];

    before(async () => {
      grpc = await startEcho();
      web = await startHttpUpstream(answerAfterRequest(Buffer.alloc(5_000, "body")));
      bridge = await startBridge(grpc.address, { httpUpstream: web.url, readPath });
      cases = await runH2spec(tool!, bridge.address);
    });
    after(async () => {
      await bridge.stop();
      await web.close();
      await grpc.close();
    });

    test("runs every case", () => {
      assert.equal(cases.length, CASES);
      assert.deepEqual(
        new Set(cases.map((each) => each.name.split("/")[0])),
        new Set(["generic", "http2", "hpack"]),
      );
    });

    test("fails exactly the listed cases", async () => {
      const failed = cases.filter((each) => each.failure !== null);
      let surprises = failed.filter((each) => !(each.name in DIFFERENCES));
      if (surprises.length > 0) {
        // Where its own next frame is late, the suite takes the answer to the request before for a wrong one: what is wrong fails again.
        const again = new Map((await runH2spec(tool!, bridge.address)).map((each) => [each.name, each]));
        surprises = surprises.filter(({ name }) => again.get(name)?.failure !== null);
      }
      assert.deepEqual(surprises, [], "cases fail that are not listed");
      const passed = Object.keys(DIFFERENCES).filter((name) => !failed.some((each) => each.name === name));
      assert.deepEqual(passed, [], "listed cases pass, or are no more: take them off the list");
    });

    test("leaves nothing behind", async () => {
      await nothingLeft(bridge);
    });
  });
}
