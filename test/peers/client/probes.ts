/** The harmless questions by which a client finds out what a server has. */
import { CallFailed } from "../../../src/client/call-failed.ts";
import type { Connection, Fields } from "../../../src/client/connection.ts";
import type { ResolvedClient } from "../../../src/peers/profile.ts";
import { Status } from "../../../src/wire/status.ts";
import { useOf } from "./calls.ts";
import { type Failure, failureOf } from "./failure.ts";

/** What a client makes of an answer to a probe: the method is there, it does without, or it turns the server down. */
export interface Probe {
  /** As profiles write it: `Fetch/FetchBlob`. */
  readonly method: string;
  readonly verdict: "there" | "without" | "refuses";
  /** The error it ended in; a good end is null. */
  readonly failure: Failure | null;
}

const PACKAGES: Readonly<Record<string, string>> = {
  ContentAddressableStorage: "build.bazel.remote.execution.v2",
  Fetch: "build.bazel.remote.asset.v1",
  Push: "build.bazel.remote.asset.v1",
};
const BATCHES = ["ContentAddressableStorage/BatchUpdateBlobs", "ContentAddressableStorage/BatchReadBlobs"];
const ASSETS = ["Fetch/FetchBlob", "Push/PushBlob"];

/** Batch methods that the client can do without are tried with an empty request: UNIMPLEMENTED means that it does. */
export async function probeBatches(
  client: ResolvedClient,
  connection: Connection,
  instance: string,
): Promise<Probe[]> {
  const tried = BATCHES.filter((method) => useOf(client, method) === "optional");
  return Promise.all(
    tried.map(async (method): Promise<Probe> => {
      const failure = await ask(connection, method, { instanceName: instance });
      const missing = failure?.code === Status.UNIMPLEMENTED;
      return { method, verdict: missing ? "without" : "there", failure };
    }),
  );
}

/** Requests without URIs, of clients that keep assets: INVALID_ARGUMENT is the sign of a service, and without one they turn the server down (D54). */
export async function probeAssets(
  { facts }: ResolvedClient,
  connection: Connection,
  instance: string,
): Promise<Probe[]> {
  if (facts.assets?.probesWithoutUris !== true) return [];
  return Promise.all(
    ASSETS.map(async (method): Promise<Probe> => {
      const failure = await ask(connection, method, { instanceName: instance });
      const there = failure?.code === Status.INVALID_ARGUMENT;
      return { method, verdict: there ? "there" : "refuses", failure };
    }),
  );
}

async function ask(connection: Connection, method: string, request: Fields): Promise<Failure | null> {
  const [service = ""] = method.split("/");
  try {
    await connection.unary(`/${PACKAGES[service]}.${method}`, request);
    return null;
  } catch (error) {
    if (error instanceof CallFailed) return failureOf(error);
    throw error;
  }
}
