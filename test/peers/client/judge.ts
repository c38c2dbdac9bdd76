/** What a client decides on an answer to GetCapabilities, by its profile. */
import type { Api } from "../../../src/client/api.ts";
import type { CallFailed } from "../../../src/client/call-failed.ts";
import type { Compressor } from "../../../src/client/manner.ts";
import type { ResolvedClient } from "../../../src/peers/profile.ts";
import type { Version } from "../../../src/peers/version-range.ts";
import { type ApiWindow, decide } from "../../../src/peers/version-rule.ts";
import { enums } from "../../../src/spec/generated/enums.ts";
import { DIGEST_FUNCTIONS, type DigestFunction } from "../../../src/wire/digest-function.ts";
import { useOf } from "./calls.ts";

type Capabilities = Api<"ServerCapabilities">;

/** What came of the question: an answer, an error, or nothing as the client does not ask. */
export type Answer = Capabilities | CallFailed | null;

/** What is configuration of the real client. */
export interface Configuration {
  /** Whether it compresses, if that is an option of its own; off by default. */
  readonly compression?: boolean;
  /** Whether it is used as a cache only, although it could execute. */
  readonly cacheOnly?: boolean;
}

/** What a client decides, and what it goes on with. */
export interface Judgement {
  readonly verdict: "goes-on" | "warns" | "refuses";
  /** What its user would want to be told. */
  readonly why: string;
  /** The version that both have, as `2.2`; null if the client holds to none. */
  readonly negotiated: string | null;
  readonly window: ApiWindow;
  readonly digestFunction: DigestFunction;
  readonly compressor: Compressor | null;
  /** Bytes of the largest batch as the server says; 0 if it does not. */
  readonly batchBytes: number;
  readonly executes: boolean;
  readonly writesResults: boolean;
}

const NO_WINDOW: ApiWindow = { deprecated: null, low: null, high: null };

/** The decision: what stops the client in the order in which it looks, else what it goes on with. */
export function judge(client: ResolvedClient, answer: Answer, configuration: Configuration = {}): Judgement {
  const { facts } = client;
  const said = answer instanceof Error ? null : answer;
  const cache = said?.cacheCapabilities ?? null;
  const execution = said?.executionCapabilities ?? null;
  const window = said === null ? NO_WINDOW : windowOf(said);
  const executes = useOf(client, "Execution/Execute") === "required" && configuration.cacheOnly !== true;
  const digestFunction = functionNamed(facts.digestFunctions?.are[0] ?? "SHA256");
  const compression = chooseCompressor(client, cache, configuration);
  const versions = said === null ? null : decide(client, window);
  const writes = facts.cacheWrites?.made ?? useOf(client, "ActionCache/UpdateActionResult") !== "none";
  const updatable = said === null || cache?.actionCacheUpdateCapabilities?.updateEnabled === true;
  const who = `${client.title} ${client.range}`.trim();
  const reasons = {
    *all(): Generator<string> {
      if (answer instanceof Error && facts.capabilities?.without !== "defaults") {
        yield `${who} cannot start without an answer to GetCapabilities: ${answer.text}`;
      }
      if (said === null) return;
      if (versions?.verdict === "refuses") yield `${who} ${versionText(client, window)}`;
      for (const part of facts.capabilities?.parts ?? []) {
        if ((part === "cache" ? cache : execution) === null) {
          yield `${who} needs the ${part} part of the capabilities, which the server leaves out`;
        }
      }
      const functions = cache?.digestFunctions ?? [];
      if (functions.length > 0 && !functions.includes(digestFunction.number)) {
        yield `${who} uses ${digestFunction.name}, which the store does not have: it has ${namesOf(functions)}`;
      }
      if (writes && facts.cacheWrites?.needed === true && !updatable) {
        yield `${who} writes to the action cache, and the server does not let it`;
      }
      yield* compression.refusal(who);
      if (!executes) return;
      if (execution?.execEnabled !== true) yield `${who} executes, and the server does not`;
      const ran = execution === null ? [] : executionFunctions(execution);
      if (facts.executionFunction?.mustMatch === true && !ran.includes(digestFunction.number)) {
        yield `${who} uses ${digestFunction.name}, and the server executes with ${namesOf(ran) || "no function that it names"}`;
      }
    },
  };
  const [reason] = reasons.all();
  const negotiated = versions?.negotiated ?? null;
  const warning = versions?.verdict === "warns" ? `${who} warns: it ${versionText(client, window)}` : null;
  return {
    verdict: reason !== undefined ? "refuses" : warning !== null ? "warns" : "goes-on",
    why: reason ?? warning ?? goesOn(who, answer, negotiated),
    negotiated: negotiated === null ? null : shortText(negotiated),
    window,
    digestFunction,
    compressor: compression.chosen,
    batchBytes: Number(cache?.maxBatchTotalSizeBytes ?? 0n),
    executes,
    writesResults: writes && updatable,
  };
}

function goesOn(who: string, answer: Answer, negotiated: Version | null): string {
  if (answer === null) return `${who} does not ask for capabilities`;
  if (answer instanceof Error) return `${who} goes on by its defaults: ${answer.text}`;
  return negotiated === null
    ? `${who} goes on with any version`
    : `${who} goes on with API ${shortText(negotiated)}`;
}

function windowOf({ deprecatedApiVersion, lowApiVersion, highApiVersion }: Capabilities): ApiWindow {
  const version = (stated: Api<"ServerCapabilities">["lowApiVersion"] | null): Version | null =>
    stated === null ? null : [stated.major, stated.minor, stated.patch];
  return {
    deprecated: version(deprecatedApiVersion),
    low: version(lowApiVersion),
    high: version(highApiVersion),
  };
}

function versionText(
  { facts: { versionRule } }: ResolvedClient,
  { deprecated, low, high }: ApiWindow,
): string {
  const { low: from, high: to } = versionRule ?? {};
  const own = from === to ? `speaks API ${from}` : `speaks API ${from} to ${to}`;
  if (low === null || high === null) return `${own}, and the server states no version`;
  const old = deprecated === null ? "" : `, and from ${shortText(deprecated)} on as deprecated`;
  return `${own}, and the server supports ${shortText(low)} to ${shortText(high)}${old}`;
}

function shortText([major, minor = 0]: Version): string {
  return `${major}.${minor}`;
}

/** Newer servers have a list, older ones a single function; 0 is none. */
function executionFunctions({ digestFunction, digestFunctions }: Api<"ExecutionCapabilities">): number[] {
  return digestFunctions.length > 0 ? digestFunctions : digestFunction === 0 ? [] : [digestFunction];
}

function functionNamed(name: string): DigestFunction {
  return DIGEST_FUNCTIONS.find((known) => known.name === name)!;
}

function namesOf(numbers: readonly number[]): string {
  return numbers
    .map((number) => DIGEST_FUNCTIONS.find((known) => known.number === number)?.name ?? `${number}`)
    .join(", ");
}

interface Compression {
  readonly chosen: Compressor | null;
  refusal(who: string): readonly string[];
}

function chooseCompressor(
  { facts: { compressors } }: ResolvedClient,
  cache: Api<"CacheCapabilities"> | null,
  { compression = false }: Configuration,
): Compression {
  const none = { chosen: null, refusal: () => [] };
  if (compressors === undefined || compressors.are.length === 0) return none;
  if (compressors.optional === true && !compression) return none;
  const announced = (cache?.supportedCompressors ?? []).filter(
    (number) => number !== enums.Compressor.IDENTITY,
  );
  const isAnnounced = (name: Compressor) => announced.includes(enums.Compressor[name]);
  if (compressors.choice === "first-announced") {
    const first = compressors.are.find((name) => enums.Compressor[name] === announced[0]);
    return { ...none, chosen: first ?? null };
  }
  const chosen = compressors.are.find(isAnnounced) ?? null;
  const stops = compressors.choice === "required" && chosen === null;
  const wanted = compressors.are.join(" or ");
  const text = (who: string) =>
    `${who} is told to compress with ${wanted}, which the server does not announce`;
  return { chosen, refusal: (who) => (stops ? [text(who)] : []) };
}
