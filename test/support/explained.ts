import { run } from "../../src/cli/run.ts";

/** How a command ended, and what it said. */
export interface Said {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs `reapi-bridge explain` with these arguments in this process. */
export async function explained(...args: string[]): Promise<Said> {
  let [out, err] = ["", ""];
  const code = await run(["explain", ...args], {
    env: {},
    print: (text) => {
      out += text;
    },
    printError: (text) => {
      err += text;
    },
    stop: new AbortController().signal,
  });
  return { code, out, err };
}
