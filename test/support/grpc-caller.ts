import type { TestContext } from "node:test";
import * as grpc from "@grpc/grpc-js";
import type { Caller, CallFailure, UpstreamCall } from "../../src/upstream/caller.ts";
import { encodeBinaryHeader } from "../../src/wire/binary-header.ts";
import { TestBudget } from "./test-budget.ts";

const same = (bytes: Buffer): Buffer => bytes;
const NAME_HEADER = "build.bazel.remote.execution.v2.resource-name";

/** Calls a server through grpc-js, on a connection of its own that is gone when the test is over. */
export class GrpcCaller implements Caller {
  readonly budget = new TestBudget();
  /** Paths of the calls that were opened, in order. */
  readonly opened: string[] = [];
  private readonly client: grpc.Client;

  constructor(t: TestContext, address: string) {
    this.client = new grpc.Client(address, grpc.credentials.createInsecure(), {
      "grpc.use_local_subchannel_pool": 1,
      "grpc.enable_retries": 0,
    });
    t.after(() => this.client.close());
  }

  open(path: string, resourceName?: string): UpstreamCall {
    this.opened.push(path);
    const metadata = new grpc.Metadata();
    if (resourceName !== undefined) metadata.set(NAME_HEADER, resourceName);
    const call = this.client.makeBidiStreamRequest(path, same, same, metadata);
    // Without a listener of its own an error that nobody reads would end the process.
    call.on("error", () => {});
    return {
      write: (message) =>
        new Promise((sent) => {
          if (call.destroyed) sent();
          else call.write(Buffer.concat(message), () => sent());
        }),
      end: async () => void call.end(),
      messages: () => messagesOf(call),
      cancel: () => call.cancel(),
    };
  }
}

async function* messagesOf(
  call: grpc.ClientDuplexStream<Buffer, Buffer>,
): AsyncGenerator<Buffer, void, void> {
  try {
    for await (const message of call) yield message as Buffer;
  } catch (error) {
    throw failureOf(error as grpc.ServiceError);
  }
}

function failureOf(error: grpc.ServiceError): CallFailure {
  const [details] = error.metadata?.get("grpc-status-details-bin") ?? [];
  return Object.assign(new Error(error.details), {
    code: error.code,
    details: details === undefined ? undefined : encodeBinaryHeader(details as Buffer),
  });
}
