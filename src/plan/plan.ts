/** What a plan is made of. */
import type { EngineCall } from "../actions/engine.ts";
import type { ContentCheck } from "../actions/prepare.ts";
import type { Evidence } from "../peers/dialect.ts";
import type { BridgeError } from "../spec/bridge-error.ts";
import type {
  Call,
  ContentHooks,
  Edit,
  FirstMessage,
  MethodHooks,
  Pair,
  RequestScan,
} from "../translators/translator.ts";
import type { UseWatch } from "../translators/uses.ts";

/** What an operator wants done with a feature: as the catalogue says, nothing, or also what is opt-in. */
export type FeaturePolicy = "auto" | "off" | "require";

/** By feature; `auto` for those it lacks. */
export type Policy = Readonly<Record<string, FeaturePolicy>>;

export type { EngineCall };

/** How calls of a method travel. */
export type Lane = "relay" | "translate" | "local" | "reject";

/** A hook that knows its pair. */
export type BoundHook = (message: Buffer, call: Call) => Edit | Promise<Edit>;

/** Serves calls around the upstream, and says which: null for all. */
export interface BoundExchange {
  readonly when: BoundWhen | null;
  readonly serve: NonNullable<MethodHooks["exchange"]>;
}

/** Whether hooks have anything to do with a call that begins so. */
export type BoundWhen = (first: FirstMessage) => boolean;

/** Rewrites the string or bytes field `field` of a first message. */
export interface BoundHead {
  readonly field: number;
  rewrite(value: Buffer | null): Buffer | null;
}

/** Rewrites the values of one header of every call, relayed ones included. */
interface BoundMetadata {
  /** Lower case. */
  readonly name: string;
  /** All values in order, as they travel; null leaves them as they are. @throws BridgeError to refuse the call. */
  rewrite(values: readonly string[]): readonly string[] | null;
}

/** What is done to the calls of one method. All lists are in the order of running. */
export interface MethodPlan {
  readonly lane: Lane;
  /** In the reject lane: makes the error every call ends with. */
  readonly refusal: (() => BridgeError) | null;
  /** Rewriters of one field of the first message, and scans of all: they alone leave a call in the relay lane. */
  readonly heads: readonly BoundHead[];
  readonly scans: readonly (() => RequestScan)[];
  /** The uses that are refused, in requests as they come; null for none. They too leave a call in the relay lane. */
  readonly uses: UseWatch | null;
  readonly requests: readonly BoundHook[];
  readonly responses: readonly BoundHook[];
  readonly streams: readonly NonNullable<MethodHooks["stream"]>[];
  readonly exchanges: readonly BoundExchange[];
  readonly answers: readonly NonNullable<MethodHooks["answer"]>[];
  /** Which calls leave the relay lane, in any other lane; null for all. */
  readonly opens: BoundWhen | null;
  /** Serves the call in place of plainly forwarding it; null where nothing about actions is at work. Requests come to it after all hooks. */
  readonly engine: EngineCall | null;
  /** The features at work, for metrics and logs. */
  readonly features: readonly string[];
}

/** What happens between one form written and the reader, for people. */
export interface Decision {
  readonly feature: string;
  readonly direction: "toServer" | "toClient";
  readonly from: string;
  /** The form that is read, which is `from` where nothing has to happen. */
  readonly to: string;
  readonly verdict: "native" | "translate" | "pass" | "reject" | "off";
  /** Why, in a sentence; empty where both agree. */
  readonly why: string;
  readonly evidence: { readonly client: Evidence; readonly server: Evidence };
}

/** For one pair of dialects and a policy: everything that is decided before calls come. Immutable. */
export interface Plan {
  readonly pair: Pair;
  /** By path; methods without an entry are relayed untouched. */
  readonly methods: ReadonlyMap<string, MethodPlan>;
  /** Hooks of stored messages in order, and checks of those that Execute leads to, which its own plan runs. */
  readonly content: readonly ContentHooks[];
  readonly checks: readonly ContentCheck[];
  /** Lenses on capabilities, in order. */
  readonly lenses: readonly ((bytes: Buffer) => Edit)[];
  /** Rewriters of headers of calls, of whatever method, in order. */
  readonly metadata: readonly BoundMetadata[];
  readonly decisions: readonly Decision[];
}

/** The plan of a method that nothing is done about: where one is wanted all the same. */
export const RELAYED: MethodPlan = Object.freeze({
  lane: "relay",
  refusal: null,
  heads: [],
  scans: [],
  uses: null,
  requests: [],
  responses: [],
  streams: [],
  exchanges: [],
  answers: [],
  opens: null,
  engine: null,
  features: [],
});
