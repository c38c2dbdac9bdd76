import type { Address } from "./types.ts";
import { ValueError } from "./value-error.ts";

/** The longest path of a Unix socket that every system takes, its terminator excluded. */
const LONGEST_SOCKET_PATH = 103;
const HOST = /^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?\.?$/;
const IPV6 = /^[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*(%[A-Za-z0-9._~-]+)?$/;

function unixAddress(text: string): Address {
  const path = text.replace(/^unix:(\/\/(?=\/))?/, "");
  if (path === "") throw new ValueError("names no path; write unix:/run/bridge.sock");
  if (Buffer.byteLength(path) > LONGEST_SOCKET_PATH) {
    throw new ValueError(`has a socket path of more than ${LONGEST_SOCKET_PATH} bytes`);
  }
  return { kind: "unix", path };
}

function portNumber(text: string): number {
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port > 65_535)
    throw new ValueError(`has the port "${text}"; ports are 0 to 65535`);
  return port;
}

function splitPort(text: string, defaultPort: number | undefined): [host: string, port: number] {
  const bracketed = /^\[([^\]]*)\](?::(.*))?$/.exec(text);
  if (bracketed === null && (text.match(/:/g)?.length ?? 0) > 1) {
    throw new ValueError("needs brackets around an IPv6 address: [::1]:8980");
  }
  const colon = text.lastIndexOf(":");
  const host = bracketed?.[1] ?? (colon < 0 ? text : text.slice(0, colon));
  const port = bracketed === null ? (colon < 0 ? undefined : text.slice(colon + 1)) : bracketed[2];
  if (!(bracketed === null ? HOST : IPV6).test(host)) {
    throw new ValueError(
      host === "" ? "names no host; write HOST:PORT" : `has the host "${host}", which is none`,
    );
  }
  if (port !== undefined) return [host, portNumber(port)];
  if (defaultPort === undefined) throw new ValueError("names no port; write HOST:PORT");
  return [host, defaultPort];
}

/**
 * Reads `HOST:PORT` (IPv6 in brackets) or `unix:PATH`. Without a `defaultPort` the port must be there.
 * Throws `ValueError` for anything else.
 */
export function parseAddress(text: string, defaultPort?: number): Address {
  if (text.startsWith("unix:")) return unixAddress(text);
  if (/[\s/@?#]/.test(text)) throw new ValueError("is no address; write HOST:PORT or unix:PATH");
  const [host, port] = splitPort(text, defaultPort);
  return { kind: "tcp", host, port };
}

/** The address as `parseAddress` reads it. */
export function formatAddress(address: Address): string {
  if (address.kind === "unix") return `unix:${address.path}`;
  return `${address.host.includes(":") ? `[${address.host}]` : address.host}:${address.port}`;
}
