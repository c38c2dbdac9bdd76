/** A client of one level before a server of another: what becomes of each step, directly and through a bridge, and what the plan said of it. */
import { CallFailed } from "../../client/call-failed.ts";
import { Connection } from "../../client/connection.ts";
import { RemoteClient } from "../../client/remote-client.ts";
import { runSample } from "../../client/run-sample.ts";
import { sampleOf } from "../../client/samples.ts";
import { startEmbedded } from "../../embedded/server.ts";
import { DOMAIN } from "../../spec/bridge-error.ts";
import type { Level } from "../../spec/versions.ts";
import { greet } from "./greet.ts";
import type { LevelStep } from "./level-steps.ts";
import { type Prediction, planBetween, predict } from "./prediction.ts";

/**
 * What became of a step: it came out right; it was refused by the bridge, or failed at the server; or it came out wrong and nobody said
 * so. `text` is for people: what the bridge or the server said, or what is wrong; empty for one that passed.
 */
export interface StepOutcome {
  readonly verdict: "passed" | "refused" | "failed" | "lost";
  readonly text: string;
  /** The feature over which the bridge refused it; null for all else. */
  readonly feature: string | null;
}

/** One step, taken both ways. */
export interface TakenStep {
  readonly title: string;
  /** To the server itself. */
  readonly directly: StepOutcome;
  /** Through the bridge. */
  readonly bridged: StepOutcome;
  /** What the plan says of it. */
  readonly predicted: Prediction;
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
  readonly steps: readonly LevelStep[];
  /** The PATH that actions see. */
  readonly searchPath: string;
  readonly signal: AbortSignal;
  /** Starts a bridge before the server at an address; it is stopped at the end. */
  startBridge(upstream: string): Promise<StartedBridge>;
}

/** No call of these small steps takes long. */
const CALL_MS = 10_000;

/**
 * Starts a server of the one level and a bridge, takes each step both ways with a client of the other level, and stops what it started.
 * @throws the reason of `signal` once it is aborted, BuildError if the server or the bridge runs no actions, CallFailed if it says nothing
 * of what it can do.
 */
export async function buildAcross(options: AcrossLevels): Promise<TakenStep[]> {
  const { client, server: level, steps, signal } = options;
  const plan = planBetween(client, level);
  const server = await startEmbedded({
    level,
    listen: { kind: "tcp", host: "127.0.0.1", port: 0 },
    dir: null,
  });
  try {
    const bridge = await options.startBridge(server.address);
    try {
      const taken: TakenStep[] = [];
      for (const step of steps) {
        const directly = await attempt(server.address, step, "directly", options);
        const bridged = await attempt(bridge.address, step, "bridged", options);
        signal.throwIfAborted();
        taken.push({ title: step.title, directly, bridged, predicted: predict(plan, step.uses) });
      }
      return taken;
    } finally {
      await bridge.stop();
    }
  } finally {
    await server.stop();
  }
}

/** `way` keeps the two from using the results of each other. */
async function attempt(
  address: string,
  { title, shape, manner }: LevelStep,
  way: string,
  { client: level, searchPath, signal }: AcrossLevels,
): Promise<StepOutcome> {
  const connection = new Connection(address, { level, callMs: CALL_MS, signal });
  try {
    const client = new RemoteClient(connection, { ...(await greet(connection)), ...manner });
    const sample = sampleOf(shape, { salt: `${title}, ${way}`, searchPath });
    return await outcomeOf(() => runSample(client, sample));
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
