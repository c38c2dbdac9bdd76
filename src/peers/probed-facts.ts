/** What answers to harmless questions tell by themselves, whoever the server is: which methods it has. */
import { methodAt } from "../spec/methods.ts";
import { pathOf } from "../upstream/asks.ts";
import { GET_CAPABILITIES } from "../upstream/methods.ts";
import { type Observations, saysSomething } from "../upstream/probe.ts";
import { Status } from "../wire/status.ts";
import type { Claim, PeerFacts } from "./dialect.ts";
import { methodClaims } from "./method-claims.ts";

/**
 * The methods that ended in UNIMPLEMENTED, and what follows from the answers for features that are a matter of methods. Any other status
 * that is not about the caller or the moment means that the method is there.
 */
export function probedFacts(observations: Observations): Pick<PeerFacts, "missingMethods" | "claims"> {
  const { capabilitiesStatus, signs } = observations;
  const has = new Map<string, boolean>();
  if (capabilitiesStatus !== null && saysSomething(capabilitiesStatus)) {
    has.set(GET_CAPABILITIES, capabilitiesStatus !== Status.UNIMPLEMENTED);
  }
  for (const { ask, status } of signs) {
    const path = pathOf(ask);
    if (methodAt(path) !== undefined) has.set(path, status !== Status.UNIMPLEMENTED);
  }
  const evidence = { source: "probed", note: "how it answers calls without content" } as const;
  const claims: Claim[] = [...methodClaims((path) => has.get(path), evidence)];
  return { missingMethods: [...has].filter(([, there]) => !there).map(([path]) => path), claims };
}
