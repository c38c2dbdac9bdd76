/** A server that says what a test has it say, and remembers what it was asked. */
import type { TestContext } from "node:test";
import * as grpc from "@grpc/grpc-js";
import type { Api } from "../../../src/client/api.ts";
import { levelBehaviour } from "../../../src/embedded/behaviour/of-level.ts";
import { type CallContext, Methods } from "../../../src/embedded/rpc/methods.ts";
import type { Messages } from "../../../src/spec/generated/messages.ts";
import { allMethods } from "../../../src/spec/methods.ts";
import { NEWEST } from "../../../src/spec/versions.ts";
import { collect } from "../../support/collect.ts";

type Fields = Record<string, unknown>;

/** One call. */
export interface Asked {
  /** `Service/Method`. */
  readonly method: string;
  /** The request, or the first of several. */
  readonly request: Fields;
  readonly metadata: grpc.Metadata;
}

/** The answer to a call, given how many of the method came before: a message, a list of them for a stream, or a CallError thrown. */
export type Handler = (request: Fields, before: number) => unknown;

/** What it says where the test has nothing else: it lacks every blob and takes them all. */
const BASIS: Readonly<Record<string, Handler>> = {
  "ContentAddressableStorage/FindMissingBlobs": ({ blobDigests }) => ({ missingBlobDigests: blobDigests }),
  "ContentAddressableStorage/BatchUpdateBlobs": (request) => ({
    responses: (request as unknown as Api<"BatchUpdateBlobsRequest">).requests.map(({ digest }) => ({
      digest,
    })),
  }),
};

/** Starts one; methods without a handler are UNIMPLEMENTED. A handler of `ByteStream/Write` gets all of the data as one request. */
export async function scriptedServer(
  t: TestContext,
  script: Readonly<Record<string, Handler>>,
): Promise<{ readonly address: string; readonly asked: Asked[] }> {
  const asked: Asked[] = [];
  const server = new grpc.Server();
  const methods = new Methods(server, {
    ...levelBehaviour(NEWEST),
    methods: new Set([...allMethods()].map(({ path }) => path)),
  });
  const answer = (method: string, handle: Handler, request: Fields, { metadata }: CallContext): unknown => {
    const before = asked.filter((earlier) => earlier.method === method).length;
    asked.push({ method, request, metadata });
    return handle(request, before);
  };
  for (const { path, serverStreaming, clientStreaming } of allMethods()) {
    const method = path.replace(/^.*\.(?=\w+\/)/, "");
    const handle = script[method] ?? BASIS[method];
    if (handle === undefined) continue;
    if (clientStreaming) {
      methods.clientStreaming<Messages["google.bytestream.WriteRequest"], object>(
        path,
        async (requests, call) => {
          const all = await collect(requests);
          const data = Buffer.concat(all.map((each) => each.data));
          return answer(method, handle, { ...all[0], data }, call) as object;
        },
      );
    } else if (serverStreaming) {
      methods.serverStreaming<Fields, object>(path, async function* (request, call) {
        yield* answer(method, handle, request, call) as Iterable<object>;
      });
    } else {
      methods.unary<Fields, object>(
        path,
        async (request, call) => answer(method, handle, request, call) as Fields,
      );
    }
  }
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) =>
    error ? reject(error) : resolve(port),
  );
  t.after(() => server.forceShutdown());
  return { address: `127.0.0.1:${await promise}`, asked };
}
