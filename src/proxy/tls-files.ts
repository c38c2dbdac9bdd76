import { StartError } from "../config/start-error.ts";
import type { Config } from "../config/types.ts";
import { type PemFiles, serverPem, upstreamPem } from "./pem-files.ts";

/** What is wrong with the TLS files that a configuration names, a line for each group of them; reads the files and opens no connection. */
export function tlsFileProblems({ tls, upstream, upstreams }: Config): string[] {
  const remote = [upstream, ...Object.values(upstreams)].flatMap((one) =>
    one.kind === "address" && one.tls !== null ? [upstreamPem(one.tls)] : [],
  );
  const problems = [...(tls === null ? [] : [serverPem(tls)]), ...remote].flatMap(problemOf);
  return [...new Set(problems)];
}

function problemOf(pem: PemFiles): string[] {
  try {
    pem.context();
    return [];
  } catch (error) {
    if (error instanceof StartError) return [error.message];
    throw error;
  }
}
