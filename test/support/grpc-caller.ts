import type { TestContext } from "node:test";
import * as grpc from "@grpc/grpc-js";
import { openCall } from "../../src/cli/explain/grpc-caller.ts";
import type { Caller, UpstreamCall } from "../../src/upstream/caller.ts";
import { TestBudget } from "./test-budget.ts";

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
    return openCall(this.client, path, metadata);
  }
}
