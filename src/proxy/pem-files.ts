import { readFileSync, statSync } from "node:fs";
import { createSecureContext, type SecureContext, type SecureContextOptions } from "node:tls";
import { StartError } from "../config/start-error.ts";
import type { ServerTls, UpstreamTls } from "../config/types.ts";

/** Which option names which PEM file; the key is the name of the option of `tls.createSecureContext`. */
export type PemPaths = { readonly [part in "ca" | "cert" | "key"]?: string };

/** Certificates and keys in files, read again when a file has changed, so that they can be renewed without a restart. */
export class PemFiles {
  private readonly paths: readonly [keyof PemPaths, string][];
  private stamp = "";
  private loaded: SecureContextOptions = {};
  private secureContext: SecureContext | null = null;

  /** Reads nothing yet. */
  constructor(paths: PemPaths) {
    this.paths = Object.entries(paths) as [keyof PemPaths, string][];
  }

  /** True if a file looks different from when it was last read. A file that is missing just now counts as unchanged. */
  changed(): boolean {
    return this.currentStamp() !== this.stamp;
  }

  /**
   * The contents as options of `node:tls`, read again if they changed. Throws a `StartError` of kind `config` if a file cannot be read
   * or what it holds cannot be used.
   */
  options(): SecureContextOptions {
    this.load();
    return this.loaded;
  }

  /** The contents as a context; throws as `options` does. */
  context(): SecureContext {
    this.load();
    return this.secureContext!;
  }

  private load(): void {
    const stamp = this.currentStamp();
    if (stamp === this.stamp && this.secureContext !== null) return;
    const loaded: SecureContextOptions = { ALPNProtocols: ["h2"] } as SecureContextOptions;
    for (const [part, path] of this.paths) loaded[part] = readPem(path);
    try {
      this.secureContext = createSecureContext(loaded);
    } catch (error) {
      const files = this.paths.map(([, path]) => path).join(", ");
      throw new StartError("config", `cannot use the TLS files ${files}: ${(error as Error).message}`, {
        cause: error,
      });
    }
    this.loaded = loaded;
    this.stamp = stamp;
  }

  private currentStamp(): string {
    try {
      return this.paths
        .map(([, path]) => statSync(path))
        .map((s) => `${s.ino}:${s.mtimeMs}:${s.size}`)
        .join();
    } catch {
      return this.stamp;
    }
  }
}

function readPem(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new StartError("config", `cannot read the TLS file ${path}: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

/** The files to serve clients with. */
export function serverPem({ cert, key, clientCa }: ServerTls): PemFiles {
  return new PemFiles({ cert, key, ...(clientCa && { ca: clientCa }) });
}

/** The files to reach an upstream with. */
export function upstreamPem({ ca, cert, key }: UpstreamTls): PemFiles {
  return new PemFiles({ ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) });
}
