/** The service Execution (D46). */
import type { Messages } from "../../spec/generated/messages.ts";
import type { Behaviour } from "../behaviour/behaviour.ts";
import type { Executor } from "../execution/executor.ts";
import { LackError } from "../execution/failure.ts";
import type { ExecutionOperation } from "../execution/operation.ts";
import type { Methods, V2 } from "../rpc/methods.ts";
import { findOperation, follow, unknownOperation } from "./operations.ts";

type Operation = Messages["google.longrunning.Operation"];

const SERVICE = "/build.bazel.remote.execution.v2.Execution";

/** Registers the service. An execution goes on when its caller leaves: another call may wait for it. */
export function registerExecution(methods: Methods, executor: Executor, behaviour: Behaviour): void {
  const { actions, instances } = behaviour;
  methods.serverStreaming<V2<"ExecuteRequest">, Operation>(`${SERVICE}/Execute`, (request, { signal }) => {
    const operation = executor.execute(request);
    const states = follow(operation, signal);
    const told = actions.stream === "to-the-end" ? states : first(states);
    return actions.missing.inResponse ? told : orFail(operation, told);
  });
  methods.serverStreaming<V2<"WaitExecutionRequest">, Operation>(
    `${SERVICE}/WaitExecution`,
    ({ name }, { signal }) => {
      const instance = name.replace(/(^|\/)operations\/[^/]*$/, "");
      if (instances.slashesBreakWaiting && instance.includes("/")) throw unknownOperation(name, behaviour);
      return follow(findOperation(executor, name, behaviour), signal);
    },
  );
}

async function* first(states: AsyncIterable<Operation>): AsyncIterable<Operation> {
  for await (const state of states) {
    yield state;
    return;
  }
}

/** The states, but an execution that ends for want of blobs ends the call itself. */
async function* orFail(
  operation: ExecutionOperation,
  states: AsyncIterable<Operation>,
): AsyncIterable<Operation> {
  for await (const state of states) {
    if (state.done && operation.failure instanceof LackError) throw operation.failure;
    yield state;
  }
}
