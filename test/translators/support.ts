import { createLog } from "../../src/observe/log.ts";
import type { Claim, Dialect, EvidenceSource, KnownFacts } from "../../src/peers/dialect.ts";
import type { Role } from "../../src/peers/profile.ts";
import type { ApiWindow } from "../../src/peers/version-rule.ts";
import { compilePlan } from "../../src/plan/compile.ts";
import type { Plan, Policy } from "../../src/plan/plan.ts";
import type { Level } from "../../src/spec/versions.ts";
import { TRANSLATORS } from "../../src/translators/registry.ts";
import { resolveDialect } from "../../src/translators/resolve-dialect.ts";
import type { Call } from "../../src/translators/translator.ts";
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
    metadata: [],
    deadline: null,
    cancelled: new AbortController().signal,
    port,
    log: createLog({ level: "silent", pretty: false }),
    scratch: new Map(),
    budget: { free: Number.POSITIVE_INFINITY, charge() {} },
  };
}
