/** The platform an action requires (D36, D37). */
import type { Messages } from "../../spec/generated/messages.ts";
import { knows } from "../../spec/ledger.ts";
import type { Level } from "../../spec/versions.ts";
import { preconditionFailureDetail } from "../../wire/error-details.ts";
import { Status } from "../../wire/status.ts";
import type { PlatformRules } from "../behaviour/behaviour.ts";
import { HERE } from "../behaviour/vocabulary.ts";
import { CallError } from "../call-error.ts";

type Platform = Messages["build.bazel.remote.execution.v2.Platform"];
type Properties = Platform["properties"];

/**
 * Checks that the only worker, this machine, is one for the platform. By the lexicon of the API, where the level has one, the operating
 * system and the instruction set must be those of this machine, in any case of letters, and every other property is taken as met; so it is
 * where a configuration decides. Other servers want exactly the set of properties that the worker has, or only names that they know.
 * @throws CallError FAILED_PRECONDITION: no worker has what the action requires.
 */
export function checkPlatform(platform: Platform | null, rules: PlatformRules, level: Level): void {
  const problem = problemOf(platform?.properties ?? [], rules, level);
  if (problem === null) return;
  const details = [
    preconditionFailureDetail([{ type: "INVALID", subject: "INVALID_PLATFORM", description: problem }]),
  ];
  throw new CallError(Status.FAILED_PRECONDITION, problem, rules.otherwise === "invalid" ? details : []);
}

function problemOf(
  properties: Properties,
  { by, worker, names }: PlatformRules,
  level: Level,
): string | null {
  if (by === "equal-sets") return differentSet(properties, worker);
  const unknown =
    by === "registered-names" ? properties.find(({ name }) => !names.includes(name)) : undefined;
  if (unknown !== undefined)
    return `no worker can have the property "${unknown.name}"; known are ${names.join(", ")}`;
  return by === "lexicon" && !knows(level, "behaviour:platform-lexicon") ? null : otherMachine(properties);
}

function differentSet(properties: Properties, worker: PlatformRules["worker"]): string | null {
  const asked = properties.map(({ name, value }) => `${name}=${value}`).sort();
  const offered = Object.entries(worker)
    .map(([name, value]) => `${name}=${value}`)
    .sort();
  if (asked.join("\0") === offered.join("\0")) return null;
  return `No workers exist for the platform {${asked.join(", ")}}; the only one has {${offered.join(", ")}}`;
}

function otherMachine(properties: Properties): string | null {
  for (const { name, value } of properties) {
    const here = Object.hasOwn(HERE, name) ? HERE[name]! : null;
    if (here === null || here.includes(value.toLowerCase())) continue;
    return `the action requires ${name} "${value}", but the only worker, this machine, has ${here.join(" and ")}`;
  }
  return null;
}
