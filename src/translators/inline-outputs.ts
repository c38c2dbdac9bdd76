import type { PeerFacts, Support } from "../peers/dialect.ts";
import { knows } from "../spec/ledger.ts";
import { UpstreamError } from "../upstream/upstream-error.ts";
import { formatDigest } from "../wire/digest.ts";
import { assumed, pass } from "./declare.ts";
import { of } from "./names.ts";
import { type Output, type OutputEdit, outputsIn, withOutputs } from "./result-data.ts";
import type {
  Edit,
  InlineWishes,
  Originals,
  Pair,
  Step,
  Steps,
  Translate,
  Translator,
} from "./translator.ts";

/** The most bytes of outputs in one result, where the server's profile names no other number. */
const MOST_BYTES = 1 << 20;

const ASKED: Translate = {
  kind: "translate",
  content: { result: (result, originals, pair) => inline(result, originals.inlined, originals, pair) },
  optIn: "a server may always leave the wish aside; the digest is there",
};
const STREAMS: Translate = { kind: "translate", content: { result: inlineStreams } };
const DIGESTS: Translate = { kind: "translate", content: { result: nameStreams } };
const EITHER = pass("clients were always told to expect either");

const FORMS = {
  "at-will": "the server decides what it inlines, whatever was asked",
  "on-request": "what GetActionResult asks for is inlined, and nothing else, since 2.0",
  executions: "also what Execute asks for, since 2.9",
  raw: "a client that fetches no output of programs and reads what is inlined",
  digests: "a client that reads no inlined output of programs and fetches all",
} as const;

/**
 * Outputs inside of results (D44, D51). What a client wants inlined is a wish; with the policy `require` the bridge grants it where the server does not, up
 * to {@link MOST_BYTES}, or as many bytes as the server's profile says, in one result. Digests stay.
 *
 * Which of the two forms of stdout and stderr a client can do without is no matter of revisions: a profile says so of the few that cannot do with either.
 */
export const inlineOutputs: Translator = {
  feature: {
    id: "inline-outputs",
    title: "Outputs inside of results",
    since: "2.0",
    drift: ["D44", "D51"],
    why: "It saves a call to read them, and some clients read only one form.",
    forms: FORMS,
  },
  owns: [
    "behaviour:inline-on-request",
    ...of("ExecuteRequest", "inline_stdout", "inline_stderr", "inline_output_files"),
    ...of("GetActionResultRequest", "inline_stdout", "inline_stderr", "inline_output_files"),
    ...of("ActionResult", "stdout_raw", "stderr_raw"),
    ...of("OutputFile", "contents"),
  ],
  after: ["execution-metadata"],
  clientAhead: "passes; where the policy says so, the bridge reads what the request names and inlines it",
  serverAhead: "passes; for a client that reads only one form, the other one is made of what the server sent",
  support,
  assume: {
    client: assumed(["at-will", "on-request", "executions"], ["executions"]),
    server: assumed(["at-will"], ["at-will"]),
  },
  toServer: steps((from, to) => {
    const asks = from === "executions" || from === "on-request";
    if (!asks) return pass("nothing is asked for that the server does not read");
    return to === "executions" ? pass("the server reads what is asked for") : ASKED;
  }),
  toClient: steps((_, to) => (to === "raw" ? STREAMS : to === "digests" ? DIGESTS : EITHER)),
};

function support({ role, level, facts }: PeerFacts): Support | null {
  const stated = role === "server" ? (facts as PeerFacts<"server">["facts"])?.inlineOutputs : undefined;
  if (stated?.are === "never") {
    const note = `inline outputs: ${stated.evidence}`;
    return { reads: ["at-will"], writes: ["on-request"], evidence: { source: "profile", note } };
  }
  if (level === null) return null;
  const { value, evidence } = level;
  const onRequest = knows(value, "behaviour:inline-on-request");
  const executions = knows(value, "build.bazel.remote.execution.v2.ExecuteRequest.inline_stdout");
  const reads = [...(executions ? ["executions"] : []), ...(onRequest ? ["on-request"] : []), "at-will"];
  if (role === "server") return { reads, writes: [onRequest ? "on-request" : "at-will"], evidence };
  return { reads: ["at-will", "on-request", "executions"], writes: [reads[0]!], evidence };
}

/** A step for every form written and every other form read. */
function steps(step: (from: string, to: string) => Step): Steps {
  const forms = Object.keys(FORMS);
  return Object.fromEntries(
    forms.map((from) => [
      from,
      Object.fromEntries(forms.filter((to) => to !== from).map((to) => [to, step(from, to)])),
    ]),
  );
}

function inlineStreams(result: Buffer, originals: Originals, pair: Pair): Promise<Edit> {
  return inline(result, { stdout: true, stderr: true, files: [] }, originals, pair);
}

/** Puts what is wanted into the result, the streams first, as far as it fits. What cannot be read stays out: the digest says where it is. */
async function inline(
  result: Buffer,
  { stdout, stderr, files }: InlineWishes,
  { port }: Originals,
  { server }: Pair,
): Promise<Edit> {
  if (!stdout && !stderr && files.length === 0) return null;
  const paths = new Set(files);
  const outputs = outputsIn(result);
  let left = server.facts.inlineOutputs?.mostBytes ?? MOST_BYTES;
  for (const { data } of outputs) left -= data.length;
  const wanted = outputs.filter((output) => {
    const asked =
      output.kind === "file" ? paths.has(output.path) : output.kind === "stdout" ? stdout : stderr;
    const bytes = output.digest?.sizeBytes ?? 0;
    if (!asked || output.data.length > 0 || bytes === 0 || bytes > left) return false;
    left -= bytes;
    return true;
  });
  const contents = await contentsOf(wanted, port);
  const edits = new Map<Output, OutputEdit>();
  for (const output of wanted) {
    const data = contents.get(formatDigest(output.digest!));
    if (data !== undefined) edits.set(output, { data });
  }
  return withOutputs(result, edits);
}

async function contentsOf(outputs: readonly Output[], port: Originals["port"]): Promise<Map<string, Buffer>> {
  const contents = new Map<string, Buffer>();
  if (outputs.length === 0) return contents;
  const digests = outputs.map(({ digest }) => digest!);
  try {
    for await (const read of port.readBlobs(digests, Math.max(...digests.map(({ sizeBytes }) => sizeBytes))))
      if ("bytes" in read) contents.set(formatDigest(read.digest), read.bytes);
  } catch (error) {
    if (!(error instanceof UpstreamError)) throw error;
  }
  return contents;
}

/** Stores the streams that a result holds and does not name, and names them. */
async function nameStreams(result: Buffer, originals: Originals): Promise<Edit> {
  const edits = new Map<Output, OutputEdit>();
  for (const output of outputsIn(result)) {
    const { data } = output;
    if (output.kind === "file" || data.length === 0 || output.digest !== null) continue;
    const digest = originals.digestOf(data);
    const blobs = [{ digest, bytes: data }];
    await originals.derive(`inline-outputs: ${formatDigest(digest)}`, async () => ({ value: null, blobs }));
    edits.set(output, { digest });
  }
  return withOutputs(result, edits);
}
