/** The service google.longrunning.Operations: executions by name (D46, D49). */
import type { Messages } from "../../spec/generated/messages.ts";
import { Status } from "../../wire/status.ts";
import type { Behaviour } from "../behaviour/behaviour.ts";
import { CallError } from "../call-error.ts";
import type { Executor } from "../execution/executor.ts";
import type { ExecutionOperation } from "../execution/operation.ts";
import type { Answer, Methods } from "../rpc/methods.ts";

type Operation = Messages["google.longrunning.Operation"];
type GetRequest = Messages["google.longrunning.GetOperationRequest"];
type WaitRequest = Messages["google.longrunning.WaitOperationRequest"];
type CancelRequest = Messages["google.longrunning.CancelOperationRequest"];
type ListRequest = Messages["google.longrunning.ListOperationsRequest"];
type ListResponse = Messages["google.longrunning.ListOperationsResponse"];
type Empty = Messages["google.protobuf.Empty"];

const SERVICE = "/google.longrunning.Operations";

/** Operations on one page, unless the client asks for fewer. */
const PAGE_SIZE = 100;

/** Registers Get, Wait, Cancel and List. Operations are forgotten by themselves, so there is no Delete. */
export function registerOperations(methods: Methods, executor: Executor, behaviour: Behaviour): void {
  const find = (name: string): ExecutionOperation => findOperation(executor, name, behaviour);
  methods.unary<GetRequest, Operation>(`${SERVICE}/GetOperation`, async ({ name }) => find(name).current());
  methods.unary<WaitRequest, Operation>(`${SERVICE}/WaitOperation`, ({ name, timeout }, { signal }) =>
    waitFor(find(name), timeout, signal),
  );
  methods.unary<CancelRequest, Empty>(`${SERVICE}/CancelOperation`, async ({ name }) => {
    find(name).cancel();
    return {};
  });
  methods.unary<ListRequest, ListResponse>(`${SERVICE}/ListOperations`, async (request) =>
    list(executor, request),
  );
}

/** The operation of that name. @throws CallError as the server ends calls that speak of one it does not know. */
export function findOperation(executor: Executor, name: string, behaviour: Behaviour): ExecutionOperation {
  const found = executor.find(name);
  if (found !== undefined) return found;
  throw unknownOperation(name, behaviour);
}

/** The failure for an operation that is not there. */
export function unknownOperation(name: string, behaviour: Behaviour): CallError {
  const message = `there is no operation "${name}", or not any more; execute again`;
  return new CallError(behaviour.unknownOperation, message);
}

/** The states of an operation, to its end or until `signal` is aborted. */
export async function* follow(operation: ExecutionOperation, signal: AbortSignal): AsyncIterable<Operation> {
  const left = Promise.withResolvers<null>();
  const leave = () => left.resolve(null);
  signal.addEventListener("abort", leave, { once: true });
  const states = operation.updates()[Symbol.asyncIterator]();
  while (!signal.aborted) {
    const next = await Promise.race([states.next(), left.promise]);
    if (next === null || next.done === true) return;
    yield next.value;
  }
}

/** The operation when it is done, or as it is when the time has passed. */
async function waitFor(
  operation: ExecutionOperation,
  timeout: WaitRequest["timeout"],
  signal: AbortSignal,
): Promise<Operation> {
  const milliseconds = timeout === null ? null : Number(timeout.seconds) * 1000 + timeout.nanos / 1e6;
  const bound =
    milliseconds === null
      ? signal
      : AbortSignal.any([
          signal,
          AbortSignal.timeout(Math.min(Math.max(0, Math.ceil(milliseconds)), LONGEST)),
        ]);
  for await (const { done } of follow(operation, bound)) if (done) break;
  return operation.current();
}

/** What a timer takes, in milliseconds: some 24 days. */
const LONGEST = 2 ** 31 - 1;

/** Those whose names begin with the name in the request, by age. The page token is the last name of the page before. */
function list(executor: Executor, request: ListRequest): Answer<ListResponse> {
  if (request.filter !== "") throw new CallError(Status.INVALID_ARGUMENT, "this server takes no filter");
  if (request.pageSize < 0) throw new CallError(Status.INVALID_ARGUMENT, "page_size is negative");
  const prefix = request.name === "" ? "" : `${request.name}/`;
  const all = executor.list().filter(({ name }) => name.startsWith(prefix));
  const start = request.pageToken === "" ? 0 : all.findIndex(({ name }) => name === request.pageToken) + 1;
  if (request.pageToken !== "" && start === 0) {
    throw new CallError(Status.INVALID_ARGUMENT, "page_token names no operation; begin again without");
  }
  const size = Math.min(request.pageSize || PAGE_SIZE, PAGE_SIZE);
  const page = all.slice(start, start + size);
  const nextPageToken = start + size < all.length ? page.at(-1)!.name : "";
  return { operations: page.map((operation) => operation.current()), nextPageToken };
}
