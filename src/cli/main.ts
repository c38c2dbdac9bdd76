import { run } from "./run.ts";

const stop = new AbortController();
for (const [signal, number] of [["SIGINT", 2] as const, ["SIGTERM", 15] as const]) {
  process.on(signal, () => {
    // Whoever asks twice does not want to wait for the drain.
    if (stop.signal.aborted) process.exit(128 + number);
    stop.abort(signal);
  });
}
// A reader that has seen enough, as in `reapi-bridge --help | head`.
process.stdout.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 1));

const code = await run(process.argv.slice(2), {
  env: process.env,
  print: (text) => void process.stdout.write(text),
  printError: (text) => void process.stderr.write(text),
  stop: stop.signal,
});
// A part that failed on the way has set the exit code already.
process.exit(code || process.exitCode);
