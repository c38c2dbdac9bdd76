/** An upstream in a process of its own: it has the beginnings of one blob, plain, and takes what it is sent without keeping it. Prints its port. */
import { readFileSync } from "node:fs";
import { createServer, type IncomingHttpHeaders, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";
import { codec } from "../../src/spec/codec.ts";
import { FIND_MISSING, GET_CAPABILITIES, READ, WRITE } from "../../src/upstream/methods.ts";
import {
  readReadRequest,
  readWriteRequest,
  writeReadResponse,
  writeWriteResponse,
} from "../../src/wire/byte-stream.ts";
import { parseResourceName } from "../../src/wire/resource-name.ts";
import { framed, messages, send } from "./wire.ts";

const PART_BYTES = 256 * 1024;
const content = readFileSync(process.argv[2]!);

const CAPABILITIES = framed([
  codec().encode("build.bazel.remote.execution.v2.ServerCapabilities", {
    cacheCapabilities: { digestFunctions: [1], maxBatchTotalSizeBytes: 4n << 20n },
    lowApiVersion: { major: 2 },
    highApiVersion: { major: 2, minor: 2 },
  }),
]);

type Answer = (requests: AsyncIterable<Buffer>, stream: ServerHttp2Stream) => Promise<void>;

const ANSWERS: Readonly<Record<string, Answer>> = {
  [GET_CAPABILITIES]: (_, stream) => send(stream, CAPABILITIES),
  // Nothing is missing.
  [FIND_MISSING]: async (requests, stream) => {
    for await (const _ of requests);
    await send(stream, framed([]));
  },
  [READ]: async (requests, stream) => {
    for await (const request of requests) {
      const { resourceName, readOffset } = readReadRequest(request);
      // Every beginning of the content is a blob.
      const end = parseResourceName(resourceName)?.digest.sizeBytes ?? 0;
      for (let at = readOffset; at < end && !stream.destroyed; at += PART_BYTES)
        await send(stream, framed(writeReadResponse(content.subarray(at, Math.min(end, at + PART_BYTES)))));
    }
  },
  [WRITE]: async (requests, stream) => {
    let name = "";
    let bytes = 0;
    for await (const request of requests) {
      const { resourceName, data } = readWriteRequest(request);
      name ||= resourceName;
      bytes += data.length;
    }
    const size = parseResourceName(name)?.digest.sizeBytes;
    if (bytes !== size) throw new Error(`${bytes} bytes came of ${name}`);
    await send(stream, framed(writeWriteResponse(bytes)));
  },
};

const server = createServer({ settings: { initialWindowSize: 4 << 20 } });
server.on("session", (session) => session.setLocalWindowSize(16 << 20));
server.on("stream", (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
  stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
  let status = "0";
  stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": status }));
  stream.on("error", () => {});
  const answer = ANSWERS[headers[":path"]!];
  const work =
    answer === undefined ? Promise.reject(new Error("unimplemented")) : answer(messages(stream), stream);
  work
    .catch(() => {
      status = "12";
    })
    .finally(() => stream.end());
});
server.listen(0, "127.0.0.1", () => console.log((server.address() as AddressInfo).port));
