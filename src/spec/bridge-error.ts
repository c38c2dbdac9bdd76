/** The one form in which the bridge refuses a call over a feature (drift.md R6, 6.6). */
import {
  badRequestDetail,
  errorInfoDetail,
  preconditionFailureDetail,
  type Violation,
} from "../wire/error-details.ts";
import { Status, type StatusCode } from "../wire/status.ts";
import { type Detail, encodeStatusDetails } from "../wire/status-details.ts";
import { REFUSAL_STATUS, type RefusalCode } from "./refusal-codes.ts";

/** The reason in the `google.rpc.ErrorInfo` of every refusal. */
const REASON = "REAPI_FEATURE_UNSUPPORTED";
/** The domain there, by which a client knows refusals of the bridge from those of the server behind it. */
export const DOMAIN = "reapi-bridge";

/** What a refusal tells: four facts for people, and the same for programs. */
export interface RefusalFacts {
  readonly code: RefusalCode;
  /** The feature, and the drift item that explains it in docs/features.md (`D24`, `P02`). */
  readonly feature: string;
  readonly drift: string;
  /** First fact: what was used, for instance `Command.output_paths`. Quotes no payload but names and paths. */
  readonly used: string;
  /** Second: the revision that introduced it (`2.1`); null for what no revision introduced. */
  readonly since: string | null;
  /** Third: what the upstream has, as half a sentence with the upstream as its subject (`"X" speaks 2.0 and reads typed lists only`). */
  readonly has: string;
  /** Fourth: what to change, as an imperative. */
  readonly fix: string;
  /** Path of the field in the request, or in the message that the request names; null where no field is wrong. */
  readonly field: string | null;
  /** The form the client used, where the feature has several. */
  readonly clientForm?: string;
  /** The revision the upstream is taken to speak. */
  readonly upstreamVersion?: string;
  /** Blobs that are missing, for `action-missing`: the client's own digests. */
  readonly missing?: readonly Violation[];
}

/**
 * A refusal. Its status follows from its code; `message` has the four facts; `details` carry `google.rpc.ErrorInfo` and, for
 * INVALID_ARGUMENT with a field, `google.rpc.BadRequest`, or `google.rpc.PreconditionFailure` for missing blobs.
 */
export class BridgeError extends Error {
  override readonly name = "BridgeError";
  readonly facts: RefusalFacts;
  /** The gRPC status. */
  readonly status: StatusCode;

  constructor(facts: RefusalFacts) {
    super(sentence(facts));
    this.facts = facts;
    this.status = REFUSAL_STATUS[facts.code];
  }

  /** The value for `grpc-status-details-bin`. */
  get details(): string {
    const details = [errorInfoDetail(this.errorInfo()), ...this.specifics()];
    return encodeStatusDetails({ code: this.status, message: this.message, details });
  }

  private errorInfo(): { reason: string; domain: string; metadata: Record<string, string> } {
    const { code, feature, drift, clientForm, upstreamVersion } = this.facts;
    const metadata = {
      code,
      feature,
      drift,
      ...(clientForm !== undefined && { client_form: clientForm }),
      ...(upstreamVersion !== undefined && { upstream_version: upstreamVersion }),
    };
    return { reason: REASON, domain: DOMAIN, metadata };
  }

  private specifics(): Detail[] {
    const { field, missing } = this.facts;
    if (missing !== undefined && missing.length > 0) return [preconditionFailureDetail(missing)];
    if (field === null || this.status !== Status.INVALID_ARGUMENT) return [];
    return [badRequestDetail([{ field, description: this.message }])];
  }
}

function sentence({ code, drift, used, since, has, fix }: RefusalFacts): string {
  const revision = since === null ? "" : ` (API ${since})`;
  return `${used}${revision} was used, but ${has}; ${fix} [${code}, ${drift}]`;
}
