/** What the world does to a server while it runs, for tests: blobs go, streams break, operations are forgotten, calls are counted. */
import type { Digest } from "../wire/digest.ts";
import type { StatusCode } from "../wire/status.ts";
import { CallError } from "./call-error.ts";
import type { Digests } from "./digests.ts";
import type { Executor } from "./execution/executor.ts";
import type { Methods } from "./rpc/methods.ts";
import type { BlobStore } from "./store/blob-store.ts";

/** The handles of one server. */
export interface ServerControls {
  /** How many calls of a method have come so far, given as `Service/Method`; 0 for one that the server lacks. */
  calls(method: string): number;
  /** Takes a blob out of the store, as eviction does; false if it is not there. Results that refer to it stay. */
  evict(digest: { readonly hash: string; readonly sizeBytes: bigint | number }): Promise<boolean>;
  /** Ends all streams of Execute and WaitExecution that are open, with this status or, for null, as if all were well. Actions run on. */
  cutStreams(status: StatusCode | null): void;
  /** Forgets all operations, as a server does that starts again. Actions run on, and their results are kept. */
  forgetOperations(): void;
}

/** What the handles move. */
interface ControlledParts {
  readonly digests: Digests;
  readonly store: BlobStore;
  readonly executor: Executor;
  readonly methods: Methods;
}

/** The handles for a server of these parts. */
export function controlsOf({ digests, store, executor, methods }: ControlledParts): ServerControls {
  return {
    calls(method) {
      let count = 0;
      for (const [path, calls] of methods.calls) if (path.endsWith(`.${method}`)) count += calls;
      return count;
    },
    async evict({ hash, sizeBytes }) {
      const digest: Digest = { hash, sizeBytes: Number(sizeBytes) };
      const gone = digests.offered.map((digestFunction) => store.delete({ ...digest, digestFunction }));
      return (await Promise.all(gone)).includes(true);
    },
    cutStreams(status) {
      const reason = status === null ? null : new CallError(status, "the stream broke");
      for (const operation of executor.list()) operation.cut(reason);
    },
    forgetOperations: () => executor.forget(),
  };
}
