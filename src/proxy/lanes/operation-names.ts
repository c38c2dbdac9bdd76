import type { BoundHook, MethodPlan } from "../../plan/plan.ts";
import {
  CANCEL_OPERATION,
  DELETE_OPERATION,
  EXECUTE,
  GET_OPERATION,
  WAIT_EXECUTION,
  WAIT_OPERATION,
} from "../../translators/methods.ts";
import { tagOperation, untagOperation } from "../../wire/operation-name.ts";
import { rewriteMessage } from "../../wire/rewrite.ts";
import { Walker, WireType } from "../../wire/walker.ts";

const IN_REQUESTS: readonly string[] = [
  WAIT_EXECUTION,
  GET_OPERATION,
  WAIT_OPERATION,
  CANCEL_OPERATION,
  DELETE_OPERATION,
];
const IN_RESPONSES: readonly string[] = [EXECUTE, WAIT_EXECUTION, GET_OPERATION, WAIT_OPERATION];

/** The field of the name in an Operation, and in every request about one. */
const NAME = 1;

/** Whether messages of the method at `path` say in field 1 for which operation they are. */
export function namesOperation(path: string): boolean {
  return IN_REQUESTS.includes(path);
}

/** What a method does where several upstreams execute: operations of this one carry its name (`route`) towards the client, and not towards it. */
export function withOperationNames(path: string, method: MethodPlan, route: string): MethodPlan {
  // An engine names operations itself.
  if (method.engine !== null) return method;
  const inRequests = IN_REQUESTS.includes(path);
  const inResponses = IN_RESPONSES.includes(path);
  if (!inRequests && !inResponses) return method;
  const strip = (value: Buffer | null): Buffer | null => {
    if (value === null) return null;
    const given = value.toString();
    const { name } = untagOperation(given);
    return name === given ? value : Buffer.from(name);
  };
  const tag: BoundHook = (message) =>
    rewriteMessage(new Walker(message), (field, out) => {
      if (field.number !== NAME || field.wireType !== WireType.LEN) return "keep";
      out.text(NAME, tagOperation(field.text(), { route }));
      return "drop";
    });
  return {
    ...method,
    lane: inResponses && method.lane === "relay" ? "translate" : method.lane,
    heads: inRequests ? [...method.heads, { field: NAME, rewrite: strip }] : method.heads,
    responses: inResponses ? [...method.responses, tag] : method.responses,
  };
}
