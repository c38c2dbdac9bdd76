/** Calls of the control plane, for which nobody is waiting but the operator. */
import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import { checkServerIdentity } from "node:tls";
import {
  type CallOptions,
  type ChannelCredentials,
  type ChannelOptions,
  Client,
  type ClientDuplexStream,
  credentials,
  Metadata,
  type ServiceError,
} from "@grpc/grpc-js";
import { formatAddress } from "../../config/address.ts";
import { StartError } from "../../config/start-error.ts";
import type { Address, RemoteUpstream, UpstreamTls } from "../../config/types.ts";
import type { Caller, CallFailure, UpstreamCall } from "../../upstream/caller.ts";
import { encodeBinaryHeader } from "../../wire/binary-header.ts";

const NAME_HEADER = "build.bazel.remote.execution.v2.resource-name";
const asIs = (bytes: Buffer): Buffer => bytes;

/** Calls one server with the credentials of the configuration; each call ends after `deadlineMs` milliseconds. Messages above 4 MiB fail. */
export class GrpcCaller implements Caller {
  /** Nothing is counted: one answer at a time is kept. */
  readonly budget = { free: Number.MAX_SAFE_INTEGER, charge: () => {} };
  private readonly client: Client;
  private readonly deadlineMs: number;

  /** Nothing is connected before the first call. @throws StartError of kind `config` for TLS files that cannot be used. */
  constructor({ address, tls }: RemoteUpstream, deadlineMs: number) {
    this.client = new Client(formatAddress(address), credentialsOf(tls, nameOf(address, tls)), {
      // A proxy for the outer world is of no use here.
      "grpc.enable_http_proxy": 0,
      "grpc.enable_retries": 0,
      "grpc.use_local_subchannel_pool": 1,
      ...(tls !== null && nameOptions(nameOf(address, tls), tls.serverName)),
    });
    this.deadlineMs = deadlineMs;
  }

  close(): void {
    this.client.close();
  }

  open(path: string, resourceName?: string): UpstreamCall {
    const metadata = new Metadata();
    if (resourceName !== undefined) metadata.set(NAME_HEADER, resourceName);
    const deadline = Date.now() + this.deadlineMs;
    return openCall(this.client, path, metadata, { deadline });
  }
}

/** A call of any shape on a client of grpc-js. */
export function openCall(
  client: Client,
  path: string,
  metadata: Metadata,
  options: CallOptions = {},
): UpstreamCall {
  const call = client.makeBidiStreamRequest(path, asIs, asIs, metadata, options);
  // Without a listener of its own an error that nobody reads would end the process.
  call.on("error", () => {});
  return {
    write: (message) =>
      new Promise((sent) => {
        if (call.destroyed) sent();
        else call.write(Buffer.concat(message), () => sent());
      }),
    end: async () => void call.end(),
    messages: () => messagesOf(call),
    cancel: () => call.cancel(),
  };
}

async function* messagesOf(call: ClientDuplexStream<Buffer, Buffer>): AsyncGenerator<Buffer, void, void> {
  try {
    for await (const message of call) yield message as Buffer;
  } catch (error) {
    throw failureOf(error as ServiceError);
  }
}

function failureOf(error: ServiceError): CallFailure {
  const [details] = error.metadata?.get("grpc-status-details-bin") ?? [];
  return Object.assign(new Error(error.details), {
    code: error.code,
    details: details === undefined ? undefined : encodeBinaryHeader(details as Buffer),
  });
}

function credentialsOf(tls: UpstreamTls | null, name: string): ChannelCredentials {
  if (tls === null) return credentials.createInsecure();
  const { ca, cert, key, insecureSkipVerify } = tls;
  const read = (path: string | undefined) => (path === undefined ? null : readFileSync(path));
  try {
    return credentials.createSsl(read(ca), read(key), read(cert), {
      checkServerIdentity: (_, certificate) => checkServerIdentity(name, certificate),
      rejectUnauthorized: insecureSkipVerify !== true,
    });
  } catch (error) {
    const message = `cannot use the TLS files of the upstream: ${(error as Error).message}`;
    throw new StartError("config", message, { cause: error });
  }
}

/** The name that the certificate is checked against. */
function nameOf(address: Address, tls: UpstreamTls | null): string {
  return tls?.serverName ?? (address.kind === "tcp" ? address.host : "localhost");
}

function nameOptions(name: string, serverName: string | undefined): ChannelOptions {
  return {
    // grpc-js always names somebody in TLS, and an address is no name (RFC 6066 section 3).
    "grpc.ssl_target_name_override": isIP(name) === 0 ? name : "localhost",
    ...(serverName !== undefined && { "grpc.default_authority": serverName }),
  };
}
