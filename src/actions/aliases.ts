/**
 * Results kept under a key of the bridge's own (R4, K3), where the operator wants it: the digest of a small Action that holds the client's, so that no entry of
 * a client's is ever shadowed, and a look-up finds it although the client's Action cannot be read any more. What is kept is in the client's form.
 */
import type { Call } from "../translators/translator.ts";
import { UpdateField } from "../translators/update-request.ts";
import { UpstreamError } from "../upstream/upstream-error.ts";
import { type Digest, encodeDigest, formatDigest } from "../wire/digest.ts";
import { FieldWriter } from "../wire/field-writer.ts";
import { lookUpRequest } from "./requests.ts";
import type { Scope } from "./scope.ts";
import { isTold } from "./status-of.ts";

/** Changes whenever an older entry could not be used any more. */
const VERSION = 1;

/** Field numbers of Action. */
const ActionField = { command: 1, inputRoot: 2, salt: 9 } as const;

/** The aliases of one plan. */
export class Aliases {
  private readonly plan: string;
  private warned = false;

  constructor(plan: string) {
    this.plan = plan;
  }

  /** The result that is kept for an action; null if none is, or none can be had. */
  async get(scope: Scope, action: Digest): Promise<Buffer | null> {
    try {
      const alias = scope.hash(this.actionFor(scope, action));
      return await scope.port.getActionResult(lookUpRequest(alias));
    } catch (error) {
      if (isTold(error)) return null;
      throw error;
    }
  }

  /** Keeps the result of an action, in place of what was kept before. That it cannot be kept is logged once and does no harm. */
  async set(scope: Scope, action: Digest, result: Buffer): Promise<void> {
    try {
      const bytes = this.actionFor(scope, action);
      const digest = scope.hash(bytes);
      await scope.port.writeBlobs([{ digest, bytes }, empty(scope)]);
      const out = new FieldWriter();
      out.bytes(UpdateField.actionDigest, encodeDigest(digest));
      out.bytes(UpdateField.result, result);
      await scope.port.updateActionResult(out.toBuffer());
    } catch (error) {
      if (!isTold(error)) throw error;
      this.warn(scope.call, error as Error);
    }
  }

  private warn({ log, upstream }: Call, error: Error): void {
    if (this.warned) return;
    this.warned = true;
    const code = error instanceof UpstreamError ? error.code : null;
    log.warn({ upstream, code, err: error.message }, "results cannot be kept under keys of the bridge's own");
  }

  /** Servers that check whether a Command is there find the client's Action in its place. */
  private actionFor(scope: Scope, action: Digest): Buffer {
    const out = new FieldWriter();
    out.bytes(ActionField.command, encodeDigest(action));
    out.bytes(ActionField.inputRoot, encodeDigest(empty(scope).digest));
    out.text(ActionField.salt, `reapi-bridge alias ${VERSION} ${this.plan} ${formatDigest(action)}`);
    return out.toBuffer();
  }
}

/** The empty Directory. */
function empty(scope: Scope): { readonly digest: Digest; readonly bytes: Buffer } {
  const bytes = Buffer.alloc(0);
  return { digest: scope.hash(bytes), bytes };
}
