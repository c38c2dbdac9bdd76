import { knows } from "../spec/ledger.ts";
import { assumed, pass } from "./declare.ts";
import { of } from "./names.ts";
import type { Translator } from "./translator.ts";

const V2 = "build.bazel.remote.execution.v2";

/**
 * WaitExecution (D46, lift L7): where the upstream does not have it, the bridge looks at the operation now and then, and where that is not to be had either it
 * executes the action again, which the upstream merges or answers from its cache. An action that must not be cached is never run again for a client.
 */
export const waitExecution: Translator = {
  feature: {
    id: "wait-execution",
    title: "WaitExecution",
    since: "2018-11",
    drift: ["D46"],
    why: "A client whose stream broke cannot come back to its action.",
    forms: { absent: "the server does not have it", offered: "WaitExecution" },
  },
  owns: of("Execution", "Execute", "WaitExecution").concat(of("WaitExecutionRequest", "name")),
  after: [],
  clientAhead: "operations are looked at until they are over, or the action is executed again",
  serverAhead: "passes: a client without it executes again",
  support: ({ role, level }) => {
    if (level === null) return null;
    const offered = knows(level.value, `${V2}.Execution.WaitExecution`);
    const forms = offered ? ["offered", "absent"] : ["absent"];
    return { reads: forms, writes: role === "client" ? forms : [forms[0]!], evidence: level.evidence };
  },
  assume: {
    client: assumed(["offered", "absent"], ["offered", "absent"]),
    server: assumed(["offered", "absent"], ["offered"]),
  },
  toServer: {
    offered: { absent: { kind: "translate", operations: { polls: true } } },
    absent: { offered: pass("a client without it executes again") },
  },
  toClient: pass("what a server has, it need not be asked for"),
};
