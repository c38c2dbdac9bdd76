import { type ActionStep, bindStep, type Transformed, transform } from "../../src/actions/transform.ts";
import { createLog } from "../../src/observe/log.ts";
import type { Claim, Dialect, EvidenceSource, KnownFacts } from "../../src/peers/dialect.ts";
import type { Role } from "../../src/peers/profile.ts";
import type { ApiWindow } from "../../src/peers/version-rule.ts";
import { compilePlan } from "../../src/plan/compile.ts";
import type { Plan, Policy } from "../../src/plan/plan.ts";
import type { Level } from "../../src/spec/versions.ts";
import { TRANSLATORS } from "../../src/translators/registry.ts";
import { resolveDialect } from "../../src/translators/resolve-dialect.ts";
import type {
  ActionMessages,
  Call,
  FirstMessage,
  Forward,
  InlineWishes,
  Originals,
} from "../../src/translators/translator.ts";
import { DIGEST_FUNCTIONS } from "../../src/wire/digest-function.ts";
import { digestOf } from "../../src/wire/hasher.ts";
import { joined } from "../../src/wire/rewrite.ts";
import { MemoryUpstream } from "../support/memory-upstream.ts";

interface Described<R extends Role = Role> {
  readonly facts?: KnownFacts<R>;
  /** The level the peer speaks; null for one that says nothing. */
  readonly level?: Level | null;
  readonly digestFunctions?: readonly number[];
  readonly missingMethods?: readonly string[];
  /** Forms by feature, as a profile states them. */
  readonly forms?: Readonly<Record<string, { reads?: string[]; writes?: string[] }>>;
  readonly source?: EvidenceSource;
}

/** A client that is described like this, and of which everything else is as its level says. */
export function client(described: Described<"client"> = {}): Dialect<"client"> {
  return peer("client", described);
}

/** A server, likewise. */
export function server(described: Described<"server"> = {}): Dialect<"server"> {
  return peer("server", described);
}

function peer<R extends Role>(role: R, described: Described<R>): Dialect<R> {
  const {
    level = "main",
    digestFunctions = [],
    missingMethods = [],
    forms = {},
    source = "advertised",
    facts,
  } = described;
  const claims = Object.entries(forms).map(
    ([feature, support]): Claim => ({
      feature,
      ...support,
      evidence: { source: "profile", note: "the test" },
    }),
  );
  const stated = level === null ? null : { value: level, evidence: { source, note: `level ${level}` } };
  return resolveDialect(
    {
      role,
      name: `the ${role}`,
      level: stated,
      digestFunctions,
      missingMethods,
      claims,
      ...(facts && { facts }),
    },
    TRANSLATORS,
  );
}

/** The plan of a pair. */
export function plan(
  from: Dialect<"client">,
  to: Dialect<"server">,
  policy: Policy = {},
  window?: ApiWindow,
): Plan {
  return compilePlan({ client: from, server: to, ...(window && { window }) }, policy, TRANSLATORS);
}

/** A call as hooks see it, with an upstream in memory. */
export function call(method: string, port: MemoryUpstream = new MemoryUpstream()): Call {
  return {
    method,
    instance: "",
    clientInstance: "",
    upstream: "memory",
    route: null,
    metadata: [],
    deadline: null,
    cancelled: new AbortController().signal,
    port,
    portFor: () => port,
    count: () => {},
    log: createLog({ level: "silent", pretty: false }),
    scratch: new Map(),
    budget: { free: Number.POSITIVE_INFINITY, charge() {} },
    maxMessageBytes: 64 << 20,
  };
}

/** The client's messages of an action, and what is known of its result. */
export interface KnownOriginals {
  readonly action?: Buffer | null;
  readonly command?: Buffer | null;
  readonly foreign?: boolean;
  /** What the request wants inlined; nothing, if not said. */
  readonly inlined?: Partial<InlineWishes>;
}

/** What result hooks are given; what they derive is stored at once. */
export function originals(port: MemoryUpstream, known: KnownOriginals = {}): Originals {
  const { action = null, command = null, foreign = false, inlined } = known;
  return {
    port,
    foreign,
    inlined: { stdout: false, stderr: false, files: [], ...inlined },
    action: async () => action,
    command: async () => command,
    digestOf: (bytes) => digestOf(bytes, DIGEST_FUNCTIONS[0]!),
    read: (digest) => port.readBlob(digest, 16 << 20),
    async derive(_, make) {
      const { value, blobs } = await make();
      await port.writeBlobs(blobs);
      return value;
    },
  };
}

/** The steps of a plan, in the order of the way to the server. */
export function steps({ content, pair }: Plan): ActionStep[] {
  return content.map((hooks) => bindStep(hooks, pair));
}

/** An Action and its Command as the upstream of a plan gets them: the very buffers where nothing changes. */
export function transformed(plan: Plan, given: ActionMessages, nonce: Buffer | null = null): Transformed {
  return transform(steps(plan), given, { nonce });
}

/** A result as the client of a plan gets it: the very buffer where nothing changes. */
export async function resultOf(plan: Plan, result: Buffer, of: Originals): Promise<Buffer> {
  let current = result;
  for (const { result: hook } of steps(plan).reverse())
    current = joined((await hook?.(current, of)) ?? null, current);
  return current;
}

/** A first message that is all there. */
export function whole(bytes: Buffer): FirstMessage {
  return { bytes, whole: true, length: bytes.length };
}

/** An upstream that gets whole requests, as the one that exchanges forward to. */
export function forwards(serve: (requests: AsyncIterable<Buffer>) => AsyncGenerator<Buffer>): Forward {
  return (requests) => serve(eachWhole(requests));
}

async function* eachWhole(requests: Parameters<Forward>[0]): AsyncGenerator<Buffer> {
  for await (const request of requests) yield Buffer.isBuffer(request) ? request : Buffer.concat(request);
}
