/** A build of one level before a server of another: what becomes of each step, directly and through a bridge. */
import { CallFailed } from "../../client/call-failed.ts";
import { Connection } from "../../client/connection.ts";
import { RemoteClient } from "../../client/remote-client.ts";
import { runSample } from "../../client/run-sample.ts";
import { type Shape, sampleOf } from "../../client/samples.ts";
import { startEmbedded } from "../../embedded/server.ts";
import { DOMAIN } from "../../spec/bridge-error.ts";
import type { Level } from "../../spec/versions.ts";
import { greet } from "./greet.ts";

/**
 * What became of an action: it came out right; it was refused by the bridge, or failed at the server; or it came out wrong and nobody said
 * so. `text` is for people: what the bridge or the server said, or what is wrong; empty for one that passed.
 */
interface StepOutcome {
  readonly verdict: "passed" | "refused" | "failed" | "lost";
  readonly text: string;
  /** The feature over which the bridge refused it; null for all else. */
  readonly feature: string | null;
}

/** One action, sent both ways. */
export interface Step {
  readonly title: string;
  /** To the server itself. */
  readonly directly: StepOutcome;
  /** Through the bridge. */
  readonly bridged: StepOutcome;
  /** Whether the bridge made it come out right. */
  readonly translated: boolean;
}

/** A bridge that was started for the comparison. */
interface StartedBridge {
  /** `HOST:PORT`. */
  readonly address: string;
  stop(): Promise<void>;
}

/** What is compared. */
export interface AcrossLevels {
  readonly client: Level;
  readonly server: Level;
  readonly shapes: readonly Shape[];
  /** The PATH that actions see. */
  readonly searchPath: string;
  readonly signal: AbortSignal;
  /** Starts a bridge before the server at an address; it is stopped at the end. */
  startBridge(upstream: string): Promise<StartedBridge>;
}

/** No call of these small actions takes long. */
const CALL_MS = 10_000;

/**
 * Starts a server of the one level and a bridge, runs each shape both ways with a client of the other level, and stops what it started.
 * @throws the reason of `signal` once it is aborted, BuildError if the server or the bridge runs no actions, CallFailed if it says nothing
 * of what it can do.
 */
export async function buildAcross(options: AcrossLevels): Promise<Step[]> {
  const { client, server: level, shapes, signal } = options;
  const server = await startEmbedded({
    level,
    listen: { kind: "tcp", host: "127.0.0.1", port: 0 },
    dir: null,
  });
  try {
    const bridge = await options.startBridge(server.address);
    try {
      const steps: Step[] = [];
      for (const shape of shapes) {
        const directly = await attempt(server.address, client, shape, "directly", options);
        const bridged = await attempt(bridge.address, client, shape, "bridged", options);
        signal.throwIfAborted();
        const translated = directly.verdict !== "passed" && bridged.verdict === "passed";
        steps.push({ title: sampleOf(shape).title, directly, bridged, translated });
      }
      return steps;
    } finally {
      await bridge.stop();
    }
  } finally {
    await server.stop();
  }
}

/** `salt` keeps the two ways from using the results of each other. */
async function attempt(
  address: string,
  level: Level,
  shape: Shape,
  salt: string,
  { searchPath, signal }: AcrossLevels,
): Promise<StepOutcome> {
  const connection = new Connection(address, { level, callMs: CALL_MS, signal });
  try {
    const client = new RemoteClient(connection, await greet(connection));
    return await outcomeOf(() => runSample(client, sampleOf(shape, { salt, searchPath })));
  } finally {
    connection.close();
  }
}

async function outcomeOf(run: () => Promise<{ readonly wrong: readonly string[] }>): Promise<StepOutcome> {
  try {
    const { wrong } = await run();
    return { verdict: wrong.length === 0 ? "passed" : "lost", text: wrong.join("; "), feature: null };
  } catch (error) {
    if (!(error instanceof CallFailed)) throw error;
    const { errorInfo, message } = error;
    const ours = errorInfo?.domain === DOMAIN;
    const { feature = null } = ours ? errorInfo.metadata : {};
    return { verdict: ours ? "refused" : "failed", text: message, feature };
  }
}
