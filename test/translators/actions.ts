/** Actions and Commands for tests, and what becomes of them. */
import type { Plan } from "../../src/plan/plan.ts";
import { BridgeError } from "../../src/spec/bridge-error.ts";
import { codec, type Draft } from "../../src/spec/codec.ts";
import type { Messages } from "../../src/spec/generated/messages.ts";
import type { ActionMessages } from "../../src/translators/translator.ts";
import { transformed } from "./support.ts";

const V2 = "build.bazel.remote.execution.v2";

type ActionDraft = Draft<Messages[`${typeof V2}.Action`]>;
type CommandDraft = Draft<Messages[`${typeof V2}.Command`]>;
export type ResultDraft = Draft<Messages[`${typeof V2}.ActionResult`]>;

/** An Action and its Command, encoded as the newest level does. */
export function messages(action: ActionDraft, command: CommandDraft = {}): ActionMessages {
  return {
    action: codec().encode(`${V2}.Action`, action),
    command: codec().encode(`${V2}.Command`, command),
  };
}

/** A Command, likewise. */
export function commandOf(command: CommandDraft): Buffer {
  return messages({}, command).command;
}

/** A result, likewise. */
export function resultBytes(result: ResultDraft): Buffer {
  return codec().encode(`${V2}.ActionResult`, result);
}

/** What the upstream's Action says. */
export function readAction(bytes: Buffer): Messages[`${typeof V2}.Action`] {
  return codec().decode(`${V2}.Action`, bytes);
}

/** What the upstream's Command says. */
export function readCommand(bytes: Buffer): Messages[`${typeof V2}.Command`] {
  return codec().decode(`${V2}.Command`, bytes);
}

/** The error that a hook refuses the action with. @throws Error if none does. */
export function refused(plan: Plan, given: ActionMessages): BridgeError {
  try {
    transformed(plan, given);
  } catch (error) {
    if (error instanceof BridgeError) return error;
    throw error;
  }
  throw new Error("the action was not refused");
}

/** The features, as `code feature`, for which a plan refuses an action by what stands in it. */
export function foundBy({ checks }: Plan, { action, command }: ActionMessages): string[] {
  return checks
    .filter((check) => check.in === "action" && check.found(action, command))
    .map((check) => check.refusal().facts)
    .map(({ code, feature }) => `${code} ${feature}`);
}
