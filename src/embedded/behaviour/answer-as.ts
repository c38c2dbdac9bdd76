import { Status } from "../../wire/status.ts";
import { CallError } from "../call-error.ts";
import type { Ask, Behaviour } from "./behaviour.ts";

/**
 * Ends a call that asks a telling question as the server that is played does. Does nothing where it answers OK, or nobody knows.
 * @throws CallError with its status and text.
 */
export function answerAs(behaviour: Behaviour, ask: Ask): void {
  const sign = behaviour.signs.get(ask);
  if (sign === undefined || sign.code === Status.OK) return;
  throw new CallError(sign.code, sign.text ?? `this server does not answer ${ask}`);
}
