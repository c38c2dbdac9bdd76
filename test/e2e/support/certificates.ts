import { join } from "node:path";
import { succeed } from "./command.ts";

/** PEM files of a server that is its own authority, for `localhost` and 127.0.0.1. */
export interface KeyPair {
  readonly key: string;
  readonly cert: string;
}

/** Makes a key and a certificate of one day in a folder. */
export async function createKeyPair(folder: string): Promise<KeyPair> {
  const pair = { key: join(folder, "key.pem"), cert: join(folder, "cert.pem") };
  const name = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"];
  const files = ["-keyout", pair.key, "-out", pair.cert];
  // An elliptic curve: Bazels of 2018 know it, and it takes no time to make.
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  await succeed("openssl", ["req", "-x509", "-days", "1", ...key, ...name, ...files]);
  return pair;
}
