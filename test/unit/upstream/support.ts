import { SAFE_DIALECT, type UpstreamDialect } from "../../../src/upstream/dialect.ts";
import type { Blob } from "../../../src/upstream/port.ts";
import type { SessionOptions } from "../../../src/upstream/session.ts";
import { UpstreamClient } from "../../../src/upstream/upstream-client.ts";
import { DIGEST_FUNCTIONS, type DigestFunction } from "../../../src/wire/digest-function.ts";
import { digestOf } from "../../../src/wire/hasher.ts";
import { type Script, ScriptedCaller } from "../../support/scripted-caller.ts";

const SHA256 = named("SHA256");

/** The dialect of a server that has everything. */
export const NEW: UpstreamDialect = {
  maxMessageBytes: 4 * 1024 * 1024,
  maxBatchBytes: 0,
  batchRead: true,
  batchUpdate: true,
  digestFunctions: DIGEST_FUNCTIONS.map(({ number }) => number),
  digestFunctionField: true,
  functionSegment: true,
};

/** The dialect of a server that has nothing that is not in every one. */
export const OLD: UpstreamDialect = {
  ...SAFE_DIALECT,
  digestFunctions: [SHA256.number],
  digestFunctionField: false,
};

/** The digest function of that name. */
export function named(name: string): DigestFunction {
  return DIGEST_FUNCTIONS.find((each) => each.name === name)!;
}

/** A port to an upstream that does what the script says. */
export function portTo(
  script: Script,
  options: Partial<Omit<SessionOptions, "caller">> & { readonly budgetBytes?: number } = {},
): { port: UpstreamClient; caller: ScriptedCaller } {
  const caller = new ScriptedCaller(script, options.budgetBytes);
  const port = new UpstreamClient({
    dialect: NEW,
    instance: "main",
    digestFunction: null,
    ...options,
    caller,
  });
  return { port, caller };
}

/** A blob and its SHA-256 digest. */
export function blob(content: string | Buffer): Blob {
  const bytes = Buffer.from(content);
  const { hash, sizeBytes } = digestOf(bytes, SHA256);
  return { digest: { hash, sizeBytes }, bytes };
}
