import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";

/** A certificate and its key: paths of PEM files, and what they hold. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
  readonly pem: { readonly cert: Buffer; readonly key: Buffer };
}

const KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc", "-days", "2"];

/** An authority of a test, and what it has issued, in a folder that is gone when the test is over. Needs openssl 3. */
export class Authority {
  readonly folder: string;
  /** The authority's own certificate. */
  readonly own: Certificate;
  private issued = 0;

  constructor(t: TestContext, name = "test authority") {
    this.folder = mkdtempSync(join(tmpdir(), "bridge-certificates-"));
    t.after(() => rmSync(this.folder, { recursive: true, force: true }));
    this.own = this.make("authority", name, []);
  }

  /** A certificate for a server at `names`, such as `DNS:farm.test` or `IP:127.0.0.1`, or for a client. */
  issue(name: string, names: readonly string[] = ["DNS:localhost", "IP:127.0.0.1"]): Certificate {
    const { cert, key } = this.own;
    const extensions = [`subjectAltName=${names.join(",")}`, "basicConstraints=critical,CA:FALSE"];
    const signed = ["-CA", cert, "-CAkey", key, ...extensions.flatMap((each) => ["-addext", each])];
    return this.make(`issued-${++this.issued}`, name, signed);
  }

  private make(file: string, name: string, rest: readonly string[]): Certificate {
    const cert = join(this.folder, `${file}.pem`);
    const key = join(this.folder, `${file}-key.pem`);
    const output = ["-keyout", key, "-out", cert, "-subj", `/CN=${name}`];
    execFileSync("openssl", ["req", "-x509", ...KEY, ...output, ...rest], { stdio: "pipe" });
    return { cert, key, pem: { cert: readFileSync(cert), key: readFileSync(key) } };
  }
}
