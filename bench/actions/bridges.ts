/** The bridges between the peers of all cases, and how the upstream sees what they make of an action. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { Connection } from "../../src/client/connection.ts";
import { codec } from "../../src/spec/codec.ts";
import { type Digest, formatDigest } from "../../src/wire/digest.ts";
import { bridge, type Running } from "../targets.ts";
import { type Case, type Peers, readAction } from "./cases.ts";
import type { ActionLoad, Variant } from "./loads.ts";
import { actionOf, CALLS, treeOf } from "./messages.ts";
import type { Upstream } from "./upstream-process.ts";

const V2 = "build.bazel.remote.execution.v2";

/** What bridges are started with. */
export interface BridgeSetup {
  /** Directories of builds by name; null is this one. */
  readonly builds: ReadonlyMap<string | null, string>;
  readonly nodeFlags: readonly string[];
  readonly core: number;
  /** For their logs. */
  readonly dir: string;
}

/** A bridge that is measured, and its twin, which fills the action cache behind its back as another replica would. */
export interface Pair {
  readonly measured: Running;
  readonly twin: Running;
}

/** All bridges that the loads need. */
export class Bridges {
  private readonly pairs = new Map<string, Pair>();

  /** Starts them. @throws Error if one does not start. */
  static async start(loads: readonly ActionLoad[], upstream: Upstream, setup: BridgeSetup): Promise<Bridges> {
    const bridges = new Bridges();
    try {
      for (const { case: of, build } of loads.flatMap(({ variants }) => variants)) {
        if (of.peers === null || bridges.pairs.has(keyOf(of.peers, build))) continue;
        const [measured, twin] = await Promise.all(
          [setup.nodeFlags, []].map((flags, index) => start(of.peers!, build, index, flags, upstream, setup)),
        );
        bridges.pairs.set(keyOf(of.peers, build), { measured: measured!, twin: twin! });
      }
    } catch (error) {
      await bridges.stop();
      throw error;
    }
    return bridges;
  }

  /** Those of a variant; null where there is none in between. */
  of({ case: { peers }, build }: Variant): Pair | null {
    return peers === null ? null : this.pairs.get(keyOf(peers, build))!;
  }

  async stop(): Promise<void> {
    const all = [...this.pairs.values()].flatMap(({ measured, twin }) => [measured, twin]);
    await Promise.all(all.map(({ service }) => service.stop()));
  }
}

function keyOf({ client, server }: Peers, build: string | null): string {
  return [client, server, build].join(" ");
}

async function start(
  { client, server }: Peers,
  build: string | null,
  index: number,
  nodeFlags: readonly string[],
  upstream: Upstream,
  { builds, core, dir }: BridgeSetup,
): Promise<Running> {
  const own = join(dir, [client, server, build ?? "", index].join("-"));
  mkdirSync(own, { recursive: true });
  const env = { REAPI_BRIDGE_CLIENT_PROFILE: client, REAPI_BRIDGE_UPSTREAM_PROFILE: server };
  const target = bridge(`${client} before ${server}`, builds.get(build)!, "auto", nodeFlags, env);
  const place = { backendPort: upstream.port, core, dir: own, front: "plain", cert: "", key: "" } as const;
  return target.start(place);
}

/**
 * Executes an action of the variant, and sees that what ran, and what came of it, is what the case is about.
 * @throws Error that says what is wrong.
 */
export async function checkCase(
  variant: Variant,
  call: { readonly port: number; readonly name: string },
  upstream: Upstream,
): Promise<void> {
  const { case: of, files } = variant;
  const tree = treeOf(call.name, Math.max(files, 10));
  const [action, command] = actionOf(call.name, of.form, tree[0]!.digest);
  await upstream.store([action, command, ...tree]);
  const connection = new Connection(`127.0.0.1:${call.port}`);
  try {
    const { hash, sizeBytes } = action.digest;
    const actionDigest = { hash, sizeBytes: BigInt(sizeBytes) };
    const told = connection.stream<Operation>(CALLS.execute.path, { actionDigest });
    let last: Operation | null = null;
    for await (const operation of told) last = operation;
    checkOperation(of, action.digest, last);
    const load = (digest: Digest) => upstream.read(digest);
    const ran = await readAction((await upstream.ran())!, load);
    if (!of.holds(await readAction(action.digest, load), ran))
      throw new Error(`"${of.name}" is not what happens between ${of.peers?.client} and ${of.peers?.server}`);
  } finally {
    connection.close();
  }
}

interface Operation {
  readonly done: boolean;
  readonly metadata: { readonly value: Uint8Array } | null;
  readonly response: { readonly value: Uint8Array } | null;
}

function checkOperation({ name }: Case, action: Digest, operation: Operation | null): void {
  if (operation?.done !== true || operation.metadata === null || operation.response === null)
    throw new Error(`"${name}": the operation does not end`);
  const { actionDigest } = codec().decode(`${V2}.ExecuteOperationMetadata`, operation.metadata.value);
  if (actionDigest?.hash !== action.hash)
    throw new Error(`"${name}": the operation is not told to be that of ${formatDigest(action)}`);
  const { result, status } = codec().decode(`${V2}.ExecuteResponse`, operation.response.value);
  const outputs = result?.outputFiles.map(({ path }) => path).join();
  if (outputs !== "out/a.d,out/a.o")
    throw new Error(`"${name}": outputs ${outputs}, status ${JSON.stringify(status?.message)}`);
}
