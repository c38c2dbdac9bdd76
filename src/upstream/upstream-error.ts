import { Status } from "../wire/status.ts";
import {
  type Detail,
  decodeStatusDetails,
  encodeStatusDetails,
  type RpcStatus,
  readStatus,
} from "../wire/status-details.ts";
import { Walker } from "../wire/walker.ts";
import { WireError } from "../wire/wire-error.ts";

/**
 * A call of the port that failed. Either the upstream said so, and then code, message and details are its own and fit to be passed on;
 * or its answer cannot be used, or the call never got there.
 */
export class UpstreamError extends Error {
  override readonly name = "UpstreamError";
  /** A gRPC status code, never OK. */
  readonly code: number;
  /** A `google.rpc.Status` as `grpc-status-details-bin` carries it, exactly as it came; undefined if there was none. */
  readonly rawDetails: string | undefined;

  constructor(code: number, message: string, rawDetails?: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
    this.rawDetails = rawDetails;
  }

  /** The failure that a status inside of a message tells. */
  static of(status: RpcStatus): UpstreamError {
    const details = status.details.length === 0 ? undefined : encodeStatusDetails(status);
    return new UpstreamError(status.code, status.message, details);
  }

  /** The failure that the bytes of a `google.rpc.Status` tell; null for OK. @throws WireError for broken bytes. */
  static ofMessage(status: Buffer): UpstreamError | null {
    const read = readStatus(new Walker(status));
    return read.code === Status.OK ? null : UpstreamError.of(read);
  }

  /** The details of the status; none where they cannot be read. */
  get details(): readonly Detail[] {
    if (this.rawDetails === undefined) return [];
    try {
      return decodeStatusDetails(this.rawDetails).details;
    } catch (error) {
      if (error instanceof WireError) return [];
      throw error;
    }
  }
}
