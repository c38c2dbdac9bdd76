/** The embedded server: a small real server of the Remote Execution API that plays any level of it, or a server that has a profile. */
import { Server, ServerCredentials } from "@grpc/grpc-js";
import type { ResolvedServer } from "../peers/profile.ts";
import { knows } from "../spec/ledger.ts";
import { parseLevel } from "../spec/versions.ts";
import { digestOf } from "../wire/hasher.ts";
import { Status } from "../wire/status.ts";
import type { Behaviour } from "./behaviour/behaviour.ts";
import { levelBehaviour } from "./behaviour/of-level.ts";
import { profileBehaviour } from "./behaviour/of-profile.ts";
import { readOnly } from "./behaviour/read-only.ts";
import { DEFAULT_SETUP, type ServerSetup } from "./behaviour/setup.ts";
import { controlsOf, type ServerControls } from "./controls.ts";
import { Digests } from "./digests.ts";
import { Executor } from "./execution/executor.ts";
import { registerHealth } from "./rpc/health.ts";
import { Methods } from "./rpc/methods.ts";
import { registerReflection } from "./rpc/reflection.ts";
import { registerActionCache } from "./services/action-cache.ts";
import { registerAssets } from "./services/assets.ts";
import { registerByteStream } from "./services/byte-stream.ts";
import { registerCapabilities } from "./services/capabilities.ts";
import { registerStorage } from "./services/content-addressable-storage.ts";
import { registerExecution } from "./services/execution.ts";
import { GET_TREE, registerGetTree } from "./services/get-tree.ts";
import { registerOperations } from "./services/operations.ts";
import type { ServiceParts } from "./services/service-parts.ts";
import { registerSplitting } from "./services/split-blob.ts";
import { Uploads } from "./services/uploads.ts";
import { openStores } from "./store/stores.ts";

/** Where to listen: a host (name or address, no brackets) and port, 0 for any, or the path of a Unix socket. */
type ListenAddress =
  | { readonly kind: "tcp"; readonly host: string; readonly port: number }
  | { readonly kind: "unix"; readonly path: string };

/** What an embedded server plays. */
export type EmbeddedRole =
  /** A level as {@link parseLevel} reads it: `2018-11`, `2.0` … `2.12`, `main`. */
  | { readonly level: string; readonly as?: undefined }
  /** A server, as its profile tells, and how it is set up where {@link DEFAULT_SETUP} does not do. */
  | { readonly as: ResolvedServer; readonly setup?: Partial<ServerSetup>; readonly level?: undefined };

/** What an embedded server is started with. */
export type EmbeddedOptions = EmbeddedRole & {
  readonly listen: ListenAddress;
  /** A directory for everything that is to outlive the server, used by one server at a time; null keeps it in memory. */
  readonly dir: string | null;
  /** What clients may not write, whatever the server they meet would let them: results, or blobs. Executions write both. */
  readonly readOnly?: readonly ("cache" | "store")[];
};

/** A server that runs. */
export interface EmbeddedServer {
  /** Where it listens: `HOST:PORT` with the real port, IPv6 in brackets, or `unix:PATH`. */
  readonly address: string;
  readonly controls: ServerControls;
  /** Ends all calls and commands, and resolves when nothing is left of them. May be called again. */
  stop(): Promise<void>;
}

/** The server cannot listen where it should. The message says where and why. */
export class ListenError extends Error {
  override readonly name = "ListenError";
}

/**
 * Starts a server. It runs the commands of its clients with the rights of this process, without a sandbox.
 * @throws RangeError for an unknown level, or a server whose digest functions cannot be computed here; ListenError, or an error of the file system about `dir`.
 */
export async function startEmbedded(options: EmbeddedOptions): Promise<EmbeddedServer> {
  const behaviour = behaviourOf(options);
  const { store, actionCache, scratchDir, close } = await openStores(options.dir);
  const digests = new Digests(behaviour.functions);
  const parts: ServiceParts = { behaviour, digests, store, actionCache };
  await addEmptyBlobs(parts);
  const executor = new Executor({ behaviour, store, actionCache, scratchDir });
  const uploads = new Uploads(store);
  const server = new Server({
    "grpc.max_receive_message_length": behaviour.transfer.messageBytes,
    "grpc.max_send_message_length": -1,
  });
  const methods = register(server, parts, executor, uploads);
  const stop = async () => {
    server.forceShutdown();
    await executor.stop();
    await uploads.stop();
    await close();
  };
  try {
    const address = await bind(server, options.listen);
    let stopping: Promise<void> | null = null;
    const controls = controlsOf({ digests, store, executor, methods });
    return { address, controls, stop: () => (stopping ??= stop()) };
  } catch (error) {
    await stop();
    throw error;
  }
}

function register(server: Server, parts: ServiceParts, executor: Executor, uploads: Uploads): Methods {
  const { behaviour } = parts;
  const methods = new Methods(server, behaviour);
  registerCapabilities(methods, parts);
  registerStorage(methods, parts);
  registerGetTree(methods, parts);
  registerSplitting(methods, parts);
  registerByteStream(methods, parts, uploads);
  registerActionCache(methods, parts);
  registerExecution(methods, executor, behaviour);
  registerOperations(methods, executor, behaviour);
  registerAssets(methods, parts);
  const treeText = behaviour.signs.get("empty-tree")?.text;
  if (treeText && !methods.paths.has(GET_TREE)) methods.absent(GET_TREE, treeText);
  if (isThere(behaviour, "health")) registerHealth(server, methods.paths);
  if (isThere(behaviour, "reflection")) registerReflection(server, behaviour, methods.paths);
  return methods;
}

/** Services beyond the API, which tools want, are there unless the profile says otherwise. */
function isThere({ signs }: Behaviour, service: "health" | "reflection"): boolean {
  const sign = signs.get(service);
  return sign === undefined || sign.code === Status.OK;
}

function behaviourOf(options: EmbeddedOptions): Behaviour {
  const behaviour =
    options.as === undefined
      ? levelBehaviour(parseLevel(options.level))
      : profileBehaviour(options.as, { ...DEFAULT_SETUP, ...options.setup });
  return readOnly(behaviour, options.readOnly ?? []);
}

/** Where the level says so, the empty blob is there without having been sent (D13). */
async function addEmptyBlobs({ behaviour: { level }, digests, store }: ServiceParts): Promise<void> {
  if (!knows(level, "behaviour:empty-blob")) return;
  const empty = Buffer.alloc(0);
  await Promise.all(
    digests.offered.map((digestFunction) => store.put(digestOf(empty, digestFunction), empty)),
  );
}

async function bind(server: Server, listen: ListenAddress): Promise<string> {
  const host = listen.kind === "tcp" && (listen.host.includes(":") ? `[${listen.host}]` : listen.host);
  const wanted = listen.kind === "unix" ? `unix:${listen.path}` : `${host}:${listen.port}`;
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  server.bindAsync(wanted, ServerCredentials.createInsecure(), (error, port) =>
    error === null
      ? resolve(port)
      : reject(new ListenError(`cannot listen on ${wanted}: ${error.message}`, { cause: error })),
  );
  const port = await promise;
  return listen.kind === "unix" ? wanted : `${host}:${port}`;
}
