/** Instance names: which of them a server has (D14). */
import { knows } from "../../spec/ledger.ts";
import type { Level } from "../../spec/versions.ts";
import { RESERVED_SEGMENTS, RESERVED_SINCE_2_3 } from "../../wire/reserved-segments.ts";
import { Status } from "../../wire/status.ts";
import { CallError } from "../call-error.ts";
import { answerAs } from "./answer-as.ts";
import type { Behaviour, InstanceRules } from "./behaviour.ts";

/** The first segment of the name that is a reserved word at this level, or null. */
export function reservedWord(level: Level, instance: string): string | null {
  const isReserved = (segment: string) =>
    segment === RESERVED_SINCE_2_3
      ? knows(level, "behaviour:compressed-names")
      : RESERVED_SEGMENTS.includes(segment) && knows(level, "behaviour:reserved-segments");
  return instance.split("/").find(isReserved) ?? null;
}

/** Lets through requests for instances the server has. @throws CallError as the server answers for others. */
export function checkInstance(behaviour: Behaviour, instance: string): void {
  const { instances, level } = behaviour;
  if (instances.strict && instance !== "") {
    const word = instance.split("/").includes("") ? "" : reservedWord(level, instance);
    if (word !== null) {
      const what = word === "" ? "an empty segment" : `the reserved word "${word}"`;
      throw new CallError(
        Status.INVALID_ARGUMENT,
        `the instance name "${shown(instance)}" has ${what} in it`,
      );
    }
  }
  if (isThere(instances, instance)) return;
  answerAs(behaviour, "unknown-instance");
  throw new CallError(instances.otherwise, `there is no instance called "${shown(instance)}"`);
}

function isThere({ are, configured, pattern }: InstanceRules, instance: string): boolean {
  if (are === "any") return true;
  if (pattern !== null) return pattern.test(instance);
  if (are === "configured") return configured.includes(instance);
  return configured.some(
    (prefix) => prefix === "" || instance === prefix || instance.startsWith(`${prefix}/`),
  );
}

function shown(instance: string): string {
  return instance.slice(0, 200);
}
