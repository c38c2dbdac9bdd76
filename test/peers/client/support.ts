import type { TestContext } from "node:test";
import { CallError } from "../../../src/embedded/call-error.ts";
import type { ResolvedClient } from "../../../src/peers/profile.ts";
import { shippedProfiles } from "../../../src/peers/read-profile.ts";
import { packAny } from "../../../src/spec/any.ts";
import { codec } from "../../../src/spec/codec.ts";
import { Status } from "../../../src/wire/status.ts";
import { type PlayedClient, type PlayOptions, playClient } from "./play-client.ts";
import { type Asked, type Handler, scriptedServer } from "./scripted-server.ts";

/** Package of the messages. */
export const V2 = "build.bazel.remote.execution.v2";

/** The profiles of this package. */
export const profiles = shippedProfiles();

/** A line of a client, as `bazel@6.2`. */
export function line(name: string): ResolvedClient {
  return profiles.resolve("client", name);
}

/** A played client that is gone when the test is over. */
export function play(t: TestContext, options: PlayOptions): PlayedClient {
  const client = playClient(options);
  t.after(() => client.close());
  return client;
}

/** What a server of all versions from 2.0 to 2.12 announces. */
export const CAPABILITIES = {
  cacheCapabilities: {
    digestFunctions: [1],
    actionCacheUpdateCapabilities: { updateEnabled: true },
    maxBatchTotalSizeBytes: 1_000_000,
  },
  executionCapabilities: { digestFunction: 1, digestFunctions: [1], execEnabled: true },
  lowApiVersion: { major: 2 },
  highApiVersion: { major: 2, minor: 12 },
};

/** A client before a server that announces {@link CAPABILITIES}, has no results, takes all blobs, and else does what the script says. */
export async function scripted(
  t: TestContext,
  script: Readonly<Record<string, Handler>>,
  options: Omit<PlayOptions, "address">,
): Promise<{ client: PlayedClient; asked: Asked[] }> {
  const { address, asked } = await scriptedServer(t, {
    "Capabilities/GetCapabilities": () => CAPABILITIES,
    "ActionCache/GetActionResult": () => {
      throw new CallError(Status.NOT_FOUND, "no such result");
    },
    "ByteStream/Write": ({ data }) => ({ committedSize: (data as Buffer).length }),
    ...script,
  });
  return { client: play(t, { address, ...options }), asked };
}

/** The operation that ends an execution with a result. */
export function done(result: object): object[] {
  const response = packAny(codec(), `${V2}.ExecuteResponse`, { result });
  return [{ name: "op", done: true, response }];
}
