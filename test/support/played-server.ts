/** Embedded servers that play the servers of the shipped profiles. */
import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import type { ServerSetup } from "../../src/embedded/behaviour/setup.ts";
import type { ServerControls } from "../../src/embedded/controls.ts";
import { startEmbedded } from "../../src/embedded/server.ts";
import type { ResolvedServer } from "../../src/peers/profile.ts";
import { shippedProfiles } from "../../src/peers/read-profile.ts";
import { unpackAny } from "../../src/spec/any.ts";
import type { Draft } from "../../src/spec/codec.ts";
import type { Messages } from "../../src/spec/generated/messages.ts";
import { type BlobName, ReapiClient, V2, type V2Message } from "./reapi-client.ts";

const CATALOGUE = shippedProfiles();

type Operation = Messages["google.longrunning.Operation"];

/** The server of a shipped profile, with other facts and claims in place of its own. */
export function serverLike(
  name: string,
  facts: Partial<ResolvedServer["facts"]>,
  features: ResolvedServer["features"] = {},
): ResolvedServer {
  const server = CATALOGUE.resolve("server", name);
  return { ...server, facts: { ...server.facts, ...facts }, features: { ...server.features, ...features } };
}

/** A client, of the newest level, of a server that is played, by name or given; both are gone when the test is over. */
export async function playing(
  t: TestContext,
  played: string | ResolvedServer,
  setup: Partial<ServerSetup> = {},
): Promise<{ client: ReapiClient; address: string; controls: ServerControls }> {
  const listen = { kind: "tcp", host: "127.0.0.1", port: 0 } as const;
  const as = typeof played === "string" ? CATALOGUE.resolve("server", played) : played;
  const server = await startEmbedded({ as, setup, listen, dir: null });
  t.after(() => server.stop());
  const { address, controls } = server;
  return { client: new ReapiClient(t, address), address, controls };
}

/** An action as a test writes it: a shell script, and what its messages say besides. */
export interface Script {
  readonly run: string;
  readonly command?: Draft<V2Message<"Command">>;
  readonly action?: Draft<V2Message<"Action">>;
  readonly inputs?: Draft<V2Message<"Directory">>;
}

/** Stores an action and returns its digest. */
export async function storeScript(client: ReapiClient, script: Script): Promise<BlobName> {
  const commandDigest = await client.storeMessage(`${V2}.Command`, {
    arguments: ["/bin/sh", "-c", script.run],
    environmentVariables: [{ name: "PATH", value: "/usr/bin:/bin" }],
    ...script.command,
  });
  const inputRootDigest = await client.storeMessage(`${V2}.Directory`, script.inputs ?? {});
  return client.storeMessage(`${V2}.Action`, { commandDigest, inputRootDigest, ...script.action });
}

/** The last operation of an Execute that runs to its end. */
export async function execute(client: ReapiClient, script: Script): Promise<V2Message<"ExecuteResponse">> {
  const actionDigest = await storeScript(client, script);
  const operations = await client.all<Operation>("Execution/Execute", { actionDigest });
  return responseOf(client, operations.at(-1));
}

/** The response in an operation that is done. */
export function responseOf(
  client: ReapiClient,
  operation: Operation | undefined,
): V2Message<"ExecuteResponse"> {
  assert.equal(operation?.done, true);
  const response = unpackAny(client.codec, `${V2}.ExecuteResponse`, operation!.response);
  assert.ok(response !== null);
  return response;
}

/** The result of a script that runs well. */
export async function resultOf(client: ReapiClient, script: Script): Promise<V2Message<"ActionResult">> {
  const { result, status } = await execute(client, script);
  assert.equal(status?.code ?? 0, 0, status?.message ?? "");
  assert.equal(result?.exitCode, 0);
  return result!;
}
