import { type Api, methodPath } from "../../client/api.ts";
import type { Connection } from "../../client/connection.ts";
import { type Manner, mannerOf } from "../../client/manner.ts";
import { BuildError } from "./build-error.ts";

/**
 * Asks what the server can do, and returns how a client of the connection's level works with it.
 * @throws BuildError if it runs no actions; CallFailed.
 */
export async function greet(connection: Connection): Promise<Manner> {
  const path = methodPath("Capabilities/GetCapabilities");
  const said = await connection.unary<Api<"ServerCapabilities">>(path, {});
  if (!said.executionCapabilities?.execEnabled) throw new BuildError("the server does not run actions");
  const manner = mannerOf(connection.codec.level);
  // 0 means that the server has no limit of its own.
  const limit = Number(said.cacheCapabilities?.maxBatchTotalSizeBytes ?? 0n);
  if (limit <= 0) return manner;
  const maxBytes = Math.min(limit, manner.batches.maxBytes);
  return { ...manner, batches: { ...manner.batches, maxBytes } };
}
