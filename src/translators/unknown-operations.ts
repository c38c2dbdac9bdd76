import type { PeerFacts, Support } from "../peers/dialect.ts";
import { knows } from "../spec/ledger.ts";
import { Status } from "../wire/status.ts";
import { assumed, pass } from "./declare.ts";
import { ids } from "./names.ts";
import type { OperationManner, Pair, Step, Translator } from "./translator.ts";

const OPERATIONS = "google.longrunning";
const ERROR = "an error stays an error";
const FINAL = "a client that does not execute again by itself says that its action was lost";

const NOT_FOUND: Step = { kind: "translate", operations: codesOf };
const AGAIN: Step = { kind: "translate", operations: { lost: "execute" }, optIn: FINAL };

/**
 * What is said of an operation that is not known, or not any more (D46, P13): since 2.8 NOT_FOUND, which means «execute again». A profile may say that a server
 * has another code for it. On demand, the bridge executes again for clients from before 2.8.
 */
export const unknownOperations: Translator = {
  feature: {
    id: "unknown-operations",
    title: "What is said of an operation that is not known",
    since: "2.8",
    drift: ["D46", "P13"],
    why: "Clients execute again only on the code they expect.",
    forms: {
      unsaid: "which code it is is not said; a client of this form may take NOT_FOUND for the end",
      other: "another code than NOT_FOUND, as a profile says",
      "not-found": "NOT_FOUND",
    },
  },
  owns: [
    "behaviour:wait-not-found",
    ...ids(`${OPERATIONS}.Operations`, ["CancelOperation", "DeleteOperation", "GetOperation"]),
    ...ids(`${OPERATIONS}.Operations`, ["ListOperations", "WaitOperation"]),
    ...["CancelOperationRequest", "DeleteOperationRequest", "GetOperationRequest"].flatMap((message) =>
      ids(`${OPERATIONS}.${message}`, ["name"]),
    ),
    ...ids(`${OPERATIONS}.WaitOperationRequest`, ["name", "timeout"]),
    ...ids(`${OPERATIONS}.ListOperationsRequest`, ["name", "filter", "page_size", "page_token"]),
    `${OPERATIONS}.ListOperationsRequest.return_partial_success`,
    ...ids(`${OPERATIONS}.ListOperationsResponse`, ["operations", "next_page_token", "unreachable"]),
    ...ids(`${OPERATIONS}.Operation`, ["name", "metadata", "done", "error", "response"]),
  ],
  after: [],
  clientAhead: "the code of the server becomes NOT_FOUND where a profile tells it",
  serverAhead: "passes; on demand the bridge executes again in place of the client",
  support,
  assume: {
    client: assumed(["not-found", "unsaid"], ["not-found"]),
    server: assumed(["unsaid"], ["unsaid"]),
  },
  toServer: pass("a client tells of no operations"),
  toClient: {
    unsaid: { other: pass(ERROR), "not-found": pass(ERROR) },
    other: { unsaid: NOT_FOUND, "not-found": NOT_FOUND },
    "not-found": { unsaid: AGAIN, other: AGAIN },
  },
};

function support({ role, level, facts }: PeerFacts): Support | null {
  const told =
    role === "server" && facts !== undefined && "unknownOperations" in facts ? facts.unknownOperations : null;
  if (told != null && told.endIn !== "NOT_FOUND") {
    return { reads: ["unsaid"], writes: ["other"], evidence: { source: "profile", note: told.evidence } };
  }
  if (level === null) return null;
  const form = knows(level.value, "behaviour:wait-not-found") ? "not-found" : "unsaid";
  return { reads: [form], writes: [form], evidence: level.evidence };
}

function codesOf({ server }: Pair): OperationManner {
  const { endIn = "NOT_FOUND" } = server.facts.unknownOperations ?? {};
  return { unknown: [Status[endIn]] };
}
