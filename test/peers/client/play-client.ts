/** Plays a real client, or one of a level: what it sends, what it reads, what it dies on. */
import { type Api, methodPath } from "../../../src/client/api.ts";
import { CallFailed } from "../../../src/client/call-failed.ts";
import { Connection } from "../../../src/client/connection.ts";
import type { Path } from "../../../src/client/directories.ts";
import type { Manner } from "../../../src/client/manner.ts";
import type { Output } from "../../../src/client/outputs.ts";
import { RemoteClient } from "../../../src/client/remote-client.ts";
import { runSample, type SampleReport } from "../../../src/client/run-sample.ts";
import { type Sample, type SampleOptions, type Shape, sampleOf } from "../../../src/client/samples.ts";
import type { HeavyShape } from "../../../src/client/shapes/heavy.ts";
import type { ResolvedClient } from "../../../src/peers/profile.ts";
import { MalformedMessageError } from "../../../src/spec/codec.ts";
import type { Level } from "../../../src/spec/versions.ts";
import { WireError } from "../../../src/wire/wire-error.ts";
import { type RoundTrip, roundTrip } from "./cache-round-trip.ts";
import { useOf } from "./calls.ts";
import { type Failure, failureOf } from "./failure.ts";
import { type FormChoices, type Forms, formsOf, messageLevel } from "./forms.ts";
import { type Answer, type Configuration, type Judgement, judge } from "./judge.ts";
import { levelClient } from "./level-client.ts";
import { playedManner } from "./manner.ts";
import { type Probe, probeAssets, probeBatches } from "./probes.ts";
import { toolHeaders } from "./tool.ts";

/** Whom to play, and before whom. */
export interface PlayOptions extends Configuration {
  /** `HOST:PORT` of a bridge or a server. */
  readonly address: string;
  /** A line of the profiles, or a level. */
  readonly as: ResolvedClient | Level;
  readonly instance?: string;
  /** Cancels all calls. */
  readonly signal?: AbortSignal;
  /** Forms it is configured to write, where its profile leaves a choice. */
  readonly writes?: FormChoices;
  /** What else a test has it do otherwise. */
  readonly manner?: Partial<Manner>;
}

/** What a client decided at the start, and how it works from then on. */
interface Negotiation extends Judgement {
  readonly forms: Forms;
  readonly manner: Manner;
  /** How GetCapabilities failed, if it did. */
  readonly failure: Failure | null;
}

/** What came of a build, as the user of the client would see it. */
interface BuildOutcome {
  /** By path from the input root: only what came in lists that the client reads. */
  readonly outputs: ReadonlyMap<Path, Output>;
  /** Outputs that it declared and that did not come. */
  readonly missing: readonly Path[];
  /** Why the client stopped, for people; null if it went on, be it without an output. */
  readonly deadly: string | null;
  /** The call that made it stop, if it was one. */
  readonly failure: Failure | null;
  /** All there is to tell of the action; null if it did not run to its end. */
  readonly report: SampleReport | null;
}

/** A client that is played. Failures of calls are values; only what must not happen is thrown. */
export interface PlayedClient {
  /** Asks for capabilities and decides: once, whoever asks first. */
  negotiate(): Promise<Negotiation>;
  /** Builds an action of the shape, unless it turned the server down. */
  build(shape: Shape | HeavyShape, options?: SampleOptions): Promise<BuildOutcome>;
  /** The same with an action of the test's own. */
  buildSample(sample: Sample): Promise<BuildOutcome>;
  /** Stores a blob, and a result if it writes any, and reads them again. */
  cacheRoundTrip(): Promise<RoundTrip>;
  /** The questions by which the client finds out what is there; none for most. */
  probes(): Promise<readonly Probe[]>;
  close(): void;
}

const GET_CAPABILITIES = "Capabilities/GetCapabilities";

/** A client on a connection of its own. */
export function playClient({ address, as, instance = "", signal, ...choices }: PlayOptions): PlayedClient {
  const client = typeof as === "string" ? levelClient(as) : as;
  const level = messageLevel(client);
  const headers = toolHeaders(client, level);
  const connection = new Connection(address, { level, headers, ...(signal && { signal }) });
  let negotiation: Promise<Negotiation> | null = null;
  const negotiate = () => (negotiation ??= negotiateOnce());

  async function negotiateOnce(): Promise<Negotiation> {
    const answer = useOf(client, GET_CAPABILITIES) === "none" ? null : await askCapabilities();
    const judged = judge(client, answer, choices);
    const forms = formsOf(client, judged.window, choices.writes);
    const wanted = { ...playedManner(client, judged, forms), ...choices.manner };
    const manner = judged.verdict === "refuses" ? wanted : await withoutMissing(wanted);
    const failure = answer instanceof CallFailed ? failureOf(answer) : null;
    return { ...judged, forms, manner, failure };
  }

  async function askCapabilities(): Promise<Answer> {
    try {
      const path = methodPath(GET_CAPABILITIES);
      return await connection.unary<Api<"ServerCapabilities">>(path, { instanceName: instance });
    } catch (error) {
      if (error instanceof CallFailed) return error;
      throw error;
    }
  }

  async function withoutMissing(manner: Manner): Promise<Manner> {
    const probes = await probeBatches(client, connection, instance);
    const has = (name: string) =>
      !probes.some(({ method, verdict }) => method.endsWith(name) && verdict === "without");
    const { update, read, ...limits } = manner.batches;
    const batches = {
      ...limits,
      update: update && has("BatchUpdateBlobs"),
      read: read && has("BatchReadBlobs"),
    };
    return { ...manner, batches };
  }

  async function buildSample(sample: Sample): Promise<BuildOutcome> {
    const { verdict, why, executes, manner, failure } = await negotiate();
    if (verdict === "refuses") return stopped(why, failure);
    if (!executes) return stopped(`${client.name} does not execute`, null);
    try {
      const report = await runSample(new RemoteClient(connection, manner, instance), sample);
      const { outputs, missing } = report;
      return { outputs, missing, deadly: deadlyIn(report, client), failure: null, report };
    } catch (error) {
      if (error instanceof CallFailed) return stopped(error.text, failureOf(error));
      if (error instanceof MalformedMessageError || error instanceof WireError) {
        return stopped(`${client.name} cannot read what came: ${error.message}`, null);
      }
      throw error;
    }
  }

  return {
    negotiate,
    build: (shape, options) => buildSample(sampleOf(shape, options)),
    buildSample,
    async cacheRoundTrip() {
      const { manner, forms, writesResults, verdict, why, failure } = await negotiate();
      if (verdict === "refuses") return { blob: null, result: null, deadly: why, failure };
      return roundTrip(new RemoteClient(connection, manner, instance), forms, writesResults);
    },
    async probes() {
      const [batches, assets] = await Promise.all([
        probeBatches(client, connection, instance),
        probeAssets(client, connection, instance),
      ]);
      return [...batches, ...assets];
    },
    close: () => connection.close(),
  };
}

function stopped(deadly: string, failure: Failure | null): BuildOutcome {
  return { outputs: new Map(), missing: [], deadly, failure, report: null };
}

/** What the client makes of a result that came. */
function deadlyIn({ unasked, missing }: SampleReport, { facts, name }: ResolvedClient): string | null {
  if (facts.results?.unaskedFiles === "fatal" && unasked.length > 0) {
    return `${name} did not ask for the files ${unasked.join(", ")}`;
  }
  if (facts.results?.missingOutputs === "fatal" && missing.length > 0) {
    return `${name} misses the outputs ${missing.join(", ")}`;
  }
  return null;
}
