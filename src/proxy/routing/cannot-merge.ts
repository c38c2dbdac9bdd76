import { BridgeError } from "../../spec/bridge-error.ts";

/** Why upstreams whose windows do not meet are of no use together. */
export const NO_VERSION = "they have no API version in common";

/** The refusal of an instance whose upstreams, by name, do not go together. `why` is a sentence about them. */
export function cannotMerge(upstreams: readonly string[], why: string): BridgeError {
  return new BridgeError({
    code: "upstreams-disagree",
    feature: "capabilities-service",
    drift: "D01",
    used: "An instance that several upstreams serve",
    since: null,
    has: `${upstreams.join(" and ")} cannot be used as one: ${why}`,
    fix: "route the instance to upstreams that agree",
    field: "instance_name",
  });
}
