/** What a running server tells of itself. */
import { StartError } from "../../config/start-error.ts";
import type { RemoteUpstream } from "../../config/types.ts";
import type { ResolvedServer } from "../../peers/profile.ts";
import type { ProfileCatalogue } from "../../peers/profile-catalogue.ts";
import { type ServerEvidence, unknownServer } from "../../peers/server-dialect.ts";
import { findOut } from "../../proxy/routing/find-out.ts";
import type { Caller } from "../../upstream/caller.ts";
import { SAFE_DIALECT } from "../../upstream/dialect.ts";
import { UpstreamClient } from "../../upstream/upstream-client.ts";
import { UpstreamError } from "../../upstream/upstream-error.ts";
import { statusName } from "../../wire/status.ts";
import { GrpcCaller } from "./grpc-caller.ts";

/** How long one call may take, connecting included, in milliseconds. */
const DEADLINE_MS = 5_000;

/**
 * Asks a server for an instance of it, without a caller's credentials. Where no `profile` is named for it, it is recognised if it can be.
 * @throws StartError of kind `upstream` if it cannot be reached or refuses to answer.
 */
export async function askServer(
  upstream: RemoteUpstream,
  instance: string,
  profile: ResolvedServer | null,
  profiles: ProfileCatalogue,
): Promise<ServerEvidence> {
  const { display } = upstream;
  const caller = new GrpcCaller(upstream, DEADLINE_MS);
  try {
    const found = await findOut(caller, instance, profile === null ? profiles : null, DEADLINE_MS);
    if (typeof found !== "string") return { ...unknownServer(display), configured: profile, ...found };
    throw new StartError(
      "upstream",
      `${display} ${await endOf(caller, instance)}. Name what it is instead, as in --server buildfarm@2.15 (docs/profiles.md)`,
    );
  } finally {
    caller.close();
  }
}

/** How grpc-js says that it got no connection: around the reason in words of Node.js. */
const NO_CONNECTION = /^No connection established\. Last error: (?:Error: )?(.*?)\.? Resolution note:/;

/** Why the server does not tell what it is, as the end of a sentence about it. */
async function endOf(caller: Caller, instance: string): Promise<string> {
  const client = new UpstreamClient({ caller, dialect: SAFE_DIALECT, instance, digestFunction: null });
  try {
    await client.capabilities();
    return "does not tell what it is: GetCapabilities is not answered in time";
  } catch (error) {
    if (!(error instanceof UpstreamError)) throw error;
    const [, unreachable] = NO_CONNECTION.exec(error.message) ?? [];
    if (unreachable !== undefined) return `cannot be reached (${unreachable})`;
    const text = error.message === "" ? "" : ` (${error.message})`;
    return `does not tell what it is: GetCapabilities ended with ${statusName(error.code)}${text}`;
  } finally {
    client.close();
  }
}
