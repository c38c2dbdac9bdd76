import { once } from "node:events";
import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import * as h2 from "./frames.ts";
import type { Header } from "./hpack.ts";
import { type PeerOptions, RawPeer } from "./peer.ts";

/** A loopback address, `127.0.0.1:port`, as the bridge prints it. */
export function dial(address: string): Socket {
  const split = address.lastIndexOf(":");
  return connectTcp(Number(address.slice(split + 1)), address.slice(0, split));
}

/** Connects, sends the preface and `own` settings, and waits for the SETTINGS of the server. */
export async function connectRaw(
  address: string,
  options: PeerOptions = {},
  own: [number, number][] = [],
): Promise<RawPeer> {
  return greet(await connectSilent(address, options), own);
}

/** The same over TLS, whoever the server is. */
export async function connectRawTls(
  address: string,
  options: PeerOptions = {},
  own: [number, number][] = [],
): Promise<RawPeer> {
  const socket = connectTls({ socket: dial(address), ALPNProtocols: ["h2"], rejectUnauthorized: false });
  await once(socket, "secureConnect");
  return greet(new RawPeer(socket, options), own);
}

async function greet(peer: RawPeer, own: [number, number][]): Promise<RawPeer> {
  peer.send(h2.PREFACE, h2.settings(...own));
  await peer.waitFor("the SETTINGS of the server", (f) => f.type === h2.Type.SETTINGS);
  return peer;
}

/** Connects and sends nothing. */
export async function connectSilent(address: string, options: PeerOptions = {}): Promise<RawPeer> {
  const socket = dial(address);
  await once(socket, "connect");
  socket.setNoDelay(true);
  return new RawPeer(socket, options);
}

/** The header list of a gRPC request to `path`; `extra` goes to the end. */
export function request(path = "/test.Echo/Call", extra: Header[] = []): Header[] {
  return [
    [":method", "POST"],
    [":scheme", "http"],
    [":path", path],
    [":authority", "bridge.test"],
    ["content-type", "application/grpc"],
    ["te", "trailers"],
    ...extra,
  ];
}

/** A gRPC message with its five byte prefix; `declared` lies about the length. */
export function message(payload: Uint8Array, declared: number = payload.length): Buffer {
  return Buffer.concat([Buffer.of(0), h2.u32(declared), payload]);
}
