/** The service grpc.health.v1.Health. Its messages have one field each, so they are written here by hand. */
import type { handleServerStreamingCall, handleUnaryCall, Server } from "@grpc/grpc-js";
import { Status } from "../../wire/status.ts";
import { Walker } from "../../wire/walker.ts";
import { CallError } from "../call-error.ts";
import { serviceErrorOf } from "./status-of.ts";

/** HealthCheckResponse with the status SERVING. */
const SERVING = Buffer.from([8, 1]);
/** HealthCheckResponse with the status SERVICE_UNKNOWN, which only Watch tells. */
const SERVICE_UNKNOWN = Buffer.from([8, 3]);

const same = (bytes: Buffer): Buffer => bytes;

/** Registers Check and Watch. The services of these methods, and the server as a whole (""), serve as long as they answer. */
export function registerHealth(server: Server, methods: ReadonlySet<string>): void {
  const services = new Set([...methods].map((path) => path.slice(1, path.indexOf("/", 1))));
  const knows = (request: Buffer): boolean => {
    const name = serviceIn(request);
    return name === "" || services.has(name);
  };
  const check: handleUnaryCall<Buffer, Buffer> = ({ request }, respond) => {
    try {
      if (!knows(request)) throw new CallError(Status.NOT_FOUND, `no service ${serviceIn(request)} here`);
      respond(null, SERVING);
    } catch (error) {
      respond(serviceErrorOf(error));
    }
  };
  // Nothing ever changes, so the stream stays open after its first message, until the caller leaves.
  const watch: handleServerStreamingCall<Buffer, Buffer> = (call) => {
    try {
      call.write(knows(call.request) ? SERVING : SERVICE_UNKNOWN);
    } catch (error) {
      call.emit("error", serviceErrorOf(error));
    }
  };
  server.register("/grpc.health.v1.Health/Check", check, same, same, "unary");
  server.register("/grpc.health.v1.Health/Watch", watch, same, same, "serverStream");
}

/** The name in a HealthCheckRequest. */
function serviceIn(request: Buffer): string {
  const message = new Walker(request);
  let service = "";
  while (message.next()) if (message.number === 1) service = message.text();
  return service;
}
