/** What one thread knows of one upstream, for each instance name, and the plans that follow from it. */
import { eventTime } from "../../http2/current-read.ts";
import type { Field } from "../../http2/hpack/field.ts";
import type { Log } from "../../observe/log.ts";
import type { Dialect } from "../../peers/dialect.ts";
import type { ResolvedServer } from "../../peers/profile.ts";
import { type ServerEvidence, serverFacts, unknownServer } from "../../peers/server-dialect.ts";
import { upstreamDialect } from "../../peers/upstream-dialect.ts";
import { isLevel } from "../../spec/versions.ts";
import { TRANSLATORS } from "../../translators/registry.ts";
import { resolveDialect } from "../../translators/resolve-dialect.ts";
import type { UpstreamDialect } from "../../upstream/dialect.ts";
import { Status } from "../../wire/status.ts";
import { CallError } from "../messages/call-error.ts";
import type { UpstreamTarget } from "../upstream-target.ts";
import { credentialsOf } from "./credentials-of.ts";
import { readable, type Silence } from "./find-out.ts";
import type { Way } from "./route.ts";

/** For how long knowledge counts before it is looked up again beside the calls, in milliseconds. */
const FRESH = 60_000;
/** How long calls do without knowledge after a look-up that taught nothing: at first, and at most. */
const FIRST_PAUSE = 1_000;
const LONGEST_PAUSE = 60_000;
/** Instance names that are told apart; beyond them all are as the first. */
const MOST_INSTANCES = 256;
/** Callers remembered that the upstream tells nothing; beyond them they are forgotten, and may ask again. */
const MOST_DENIED = 256;

/** One state of knowledge. The same object for all instances that are alike. */
export interface KnownServer {
  readonly dialect: Dialect<"server">;
  /** How the bridge itself speaks to it. */
  readonly speaks: UpstreamDialect;
}

/** What finds out about an upstream, or why it learned nothing. */
export type Look = (instance: string) => Promise<Partial<ServerEvidence> | Silence>;

interface Instance {
  readonly known: KnownServer;
  readonly evidence: ServerEvidence;
  readonly learned: number;
  /** The upstream's `interruptions` when it was learned. */
  readonly interruptions: number;
}

/** Knowledge of one upstream: swapped as a whole, so that calls under way keep theirs. */
export class ServerPeer {
  readonly target: UpstreamTarget;
  /** The way of calls that nothing is done about. */
  readonly relay: Way;
  private readonly log: Log;
  private readonly start: ServerEvidence;
  private readonly assumed: KnownServer;
  private readonly instances = new Map<string, Instance>();
  private readonly looks = new Map<string, Promise<void>>();
  /** The one that was known first. */
  private first: Instance | undefined;
  private states: KnownServer[] = [];
  /** Whether somebody found out all there is; what GetCapabilities says in passing is only a part of that. */
  private looked = false;
  private readonly pause = new Pause();
  /** Callers to which the upstream says nothing about an instance, by both: others have better credentials, or ask about another. */
  private readonly denied = new Map<string, Pause>();

  /** `configured` is the profile that the operator names, if any. */
  constructor(target: UpstreamTarget, configured: ResolvedServer | null, log: Log) {
    this.target = target;
    this.relay = { upstream: target, route: null };
    this.log = log;
    this.start = { ...unknownServer(target.display), configured };
    this.assumed = stateOf(this.start);
  }

  /** Whether the operator says what it is. */
  get configured(): boolean {
    return this.start.configured !== null;
  }

  /** Whether every instance is alike as far as anybody knows: then nobody need look which one a call is for. */
  get uniform(): boolean {
    return this.states.length <= 1;
  }

  /** What is known for an instance; for one that nothing is known of, or null, what is known of the others. */
  of(instance: string | null): KnownServer {
    return this.entry(instance)?.known ?? this.assumed;
  }

  /** What is known of all instances, if that is all there is to find out at the moment; else null. */
  get settled(): KnownServer | null {
    const { first } = this;
    // What the operator says counts as long as nothing is learned beyond it.
    if (first === undefined) return this.configured ? this.assumed : null;
    if (!this.uniform || !(this.looked || this.configured)) return null;
    const { known, learned, interruptions } = first;
    return interruptions === this.target.interruptions && eventTime() - learned <= FRESH ? known : null;
  }

  /**
   * What has to happen before a call for `instance` (null where nobody looked) can be routed: its instance is to be told, something
   * is to be found out first, or beside the call, as what is known is old. Null for nothing. `head` tells whose call it is.
   */
  due(instance: string | null, head: readonly Field[]): "instance" | "find" | "refresh" | null {
    if (this.pause.lasts || this.isDenied(instance, head)) return null;
    const known = this.entry(instance);
    if (known === undefined) {
      if (this.configured) return null;
      return instance === null ? "instance" : "find";
    }
    if (!this.looked && !this.configured) return "find";
    const { learned, interruptions } = known;
    // Whoever was away may come back as another.
    if (interruptions !== this.target.interruptions) return "find";
    return eventTime() - learned > FRESH ? "refresh" : null;
  }

  /**
   * Finds out about an instance, or about the one that is known, once at a time for all who want to know. `look` goes by the credentials
   * of the call that `head` is of. Never rejects.
   */
  find(instance: string | null, head: readonly Field[], look: Look): Promise<void> {
    const [first = ""] = this.instances.keys();
    const name =
      instance !== null && (this.instances.has(instance) || this.instances.size === 0) ? instance : first;
    let under = this.looks.get(name);
    if (under === undefined) {
      const caller = callerKey(name, head);
      under = look(name)
        .then((found) => (typeof found === "string" ? this.nothing(found, caller) : this.found(name, found)))
        .catch((error: unknown) => {
          this.log.error({ err: error }, "finding out about the upstream failed; please report this");
          this.nothing("upstream", caller);
        })
        .finally(() => this.looks.delete(name));
      this.looks.set(name, under);
    }
    return under;
  }

  /** Takes what the upstream just answered to GetCapabilities. @throws CallError INTERNAL for bytes that cannot be read. */
  heard(instance: string, capabilities: Buffer): void {
    const advertised = readable(capabilities);
    if (advertised !== null) return this.learn(instance, { advertised });
    const text = `the upstream ${this.target.display} answered GetCapabilities with bytes that are no ServerCapabilities`;
    throw new CallError(Status.INTERNAL, text);
  }

  private found(instance: string, found: Partial<ServerEvidence>): void {
    this.looked = true;
    this.pause.end();
    this.denied.clear();
    this.learn(instance, found);
  }

  private learn(instance: string, found: Partial<ServerEvidence>): void {
    if (!this.instances.has(instance) && this.instances.size >= MOST_INSTANCES) return;
    const before = this.instances.get(instance);
    // Instances of one server are of one kind; what each announces is its own.
    const evidence = { ...(this.entry(instance)?.evidence ?? this.start), ...found };
    const fresh = stateOf(evidence);
    const same = this.states.find((state) => alike(state, fresh));
    const known = same ?? fresh;
    const { interruptions } = this.target;
    this.instances.set(instance, { known, evidence, learned: eventTime(), interruptions });
    this.first = this.instances.values().next().value;
    this.states = [...new Set([...this.instances.values()].map((each) => each.known))];
    if (before?.known !== known) this.report(instance, known, before === undefined);
  }

  /** What is known of an instance; for one that nothing is known of, or null, what is known of the first. */
  private entry(instance: string | null): Instance | undefined {
    const own = instance === null ? undefined : this.instances.get(instance);
    return own ?? this.first;
  }

  private nothing(silence: Silence, caller: string): void {
    if (silence === "upstream") this.pause.begin();
    if (silence !== "denied") return;
    let pause = this.denied.get(caller);
    if (pause === undefined) {
      if (this.denied.size >= MOST_DENIED) this.denied.clear();
      pause = new Pause();
      this.denied.set(caller, pause);
    }
    pause.begin();
  }

  private isDenied(instance: string | null, head: readonly Field[]): boolean {
    return this.denied.size > 0 && this.denied.get(callerKey(instance ?? "", head))?.lasts === true;
  }

  private report(instance: string, { dialect }: KnownServer, first: boolean): void {
    const { window } = dialect.facts;
    const facts = {
      upstream: this.target.display,
      instance,
      server: dialect.name,
      level: dialect.version,
      versions: window === undefined ? null : `${window.low ?? "?"} to ${window.high ?? "?"}`,
    };
    if (first) this.log.info(facts, "what the upstream is");
    else this.log.warn(facts, "the upstream is not what it was");
  }
}

/** Who asks about what. */
function callerKey(instance: string, head: readonly Field[]): string {
  return `${instance}\0${credentialsOf(head)}`;
}

/** A time in which nobody asks again, longer each time it begins anew. */
class Pause {
  private until = 0;
  private length = FIRST_PAUSE;

  get lasts(): boolean {
    return this.until > 0 && eventTime() < this.until;
  }

  begin(): void {
    this.until = performance.now() + this.length;
    this.length = Math.min(LONGEST_PAUSE, this.length * 2);
  }

  end(): void {
    this.until = 0;
    this.length = FIRST_PAUSE;
  }
}

function stateOf(evidence: ServerEvidence): KnownServer {
  const facts = serverFacts(evidence);
  const dialect = resolveDialect(facts, TRANSLATORS);
  const { version, missingMethods, digestFunctions } = dialect;
  const functionSegment = dialect.facts.resourceNames?.functionSegment ?? null;
  const level = version !== null && isLevel(version) ? version : null;
  return {
    dialect,
    speaks: upstreamDialect({
      level,
      missingMethods,
      digestFunctions,
      functionSegment,
      advertised: evidence.advertised,
      facts: dialect.facts,
    }),
  };
}

function alike(a: KnownServer, b: KnownServer): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
