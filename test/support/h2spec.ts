import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

/** One case of the suite. */
export interface H2specCase {
  /** `GROUP/SECTION: DESCRIPTION`, as the report has it. */
  readonly name: string;
  /** What was expected and what came, or null if the case passed. A case the suite skipped counts as failed. */
  readonly failure: string | null;
}

/** Where the tool is: the environment variable `H2SPEC`, which must then be right, else the search path; null if it is not there. */
export function findH2spec(): string | null {
  const { H2SPEC, PATH = "" } = process.env;
  if (H2SPEC !== undefined) {
    if (!existsSync(H2SPEC)) throw new Error(`H2SPEC=${H2SPEC}: there is no such file`);
    return H2SPEC;
  }
  const folders = PATH.split(delimiter);
  return folders.map((folder) => join(folder, "h2spec")).find((file) => existsSync(file)) ?? null;
}

/** Runs the generic, http2 and hpack groups, strict cases included, against `address` (`host:port`, plain). */
export async function runH2spec(tool: string, address: string): Promise<H2specCase[]> {
  const folder = mkdtempSync(join(tmpdir(), "h2spec-"));
  const report = join(folder, "report.xml");
  const [host, port] = address.split(":") as [string, string];
  try {
    // The exit code tells of failed cases; the report tells which.
    const output = await new Promise<string>((resolve) => {
      // Its own timeout of 2 s fails cases where other tests take the cores; one listed case waits for it in full.
      const args = ["generic", "http2", "hpack", "-S", "-o", "8", "-h", host, "-p", port, "-j", report];
      execFile(tool, args, (_, stdout, stderr) => resolve(stdout + stderr));
    });
    if (!existsSync(report)) throw new Error(`h2spec wrote no report:\n${output}`);
    return readReport(readFileSync(report, "utf8"));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function readReport(xml: string): H2specCase[] {
  const cases = /<testcase package="([^"]*)" classname="([^"]*)"[^>]*>(.*?)<\/testcase>/gs;
  return Array.from(xml.matchAll(cases), ([, section, title, problem]) => ({
    name: plain(`${section}: ${title}`),
    failure: problem!.trim() === "" ? null : plain(problem!.trim()),
  }));
}

function plain(text: string): string {
  return text
    .replaceAll(/&#x([0-9a-f]+);/gi, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)))
    .replaceAll(/&#(\d+);/g, (_, code) => String.fromCharCode(Number(code)))
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&quot;", '"')
    .replaceAll("&amp;", "&");
}
