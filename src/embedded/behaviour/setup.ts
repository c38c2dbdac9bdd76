/** How a server that is played is set up: what its profile leaves to whoever runs it. */
import type { ResolvedServer } from "../../peers/profile.ts";
import { DEFAULT_WORKER } from "./vocabulary.ts";

/** What the operator of a real server would have configured. */
export interface ServerSetup {
  /** Whether what only configuration brings is there: optional methods and compressors, writes to the cache, chunking. */
  readonly optional: boolean;
  /** Names of instances, or prefixes of them, where the server knows none by itself. */
  readonly instances: readonly string[];
  /** Properties of the platform of the one worker. */
  readonly worker: Readonly<Record<string, string>>;
}

/** A server as it comes: nothing optional, one instance without a name, a worker of which the operating system is known. */
export const DEFAULT_SETUP: ServerSetup = { optional: false, instances: [""], worker: DEFAULT_WORKER };

/** Where configuration may say the other, a server with all that is optional does. */
export function allowsAbsolute(
  { absoluteSymlinks }: ResolvedServer["facts"],
  { optional }: ServerSetup,
): boolean {
  const { are = "ALLOWED", optional: either = false } = absoluteSymlinks ?? {};
  return (are === "ALLOWED") !== (either && optional);
}
