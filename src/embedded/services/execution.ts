/** The service Execution (D46). */
import type { Messages } from "../../spec/generated/messages.ts";
import type { Executor } from "../execution/executor.ts";
import type { Methods, V2 } from "../rpc/methods.ts";
import { findOperation, follow } from "./operations.ts";

type Operation = Messages["google.longrunning.Operation"];

const SERVICE = "/build.bazel.remote.execution.v2.Execution";

/** Registers the service. An execution goes on when its caller leaves: another call may wait for it. */
export function registerExecution(methods: Methods, executor: Executor): void {
  methods.serverStreaming<V2<"ExecuteRequest">, Operation>(`${SERVICE}/Execute`, (request, { signal }) =>
    follow(executor.execute(request), signal),
  );
  methods.serverStreaming<V2<"WaitExecutionRequest">, Operation>(
    `${SERVICE}/WaitExecution`,
    ({ name }, { signal }) => follow(findOperation(executor, name), signal),
  );
}
