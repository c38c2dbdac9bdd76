/** Asks a server what tells it from others. Nothing of it has an effect on the server. */
import { FieldWriter } from "../wire/field-writer.ts";
import { Status } from "../wire/status.ts";
import { Walker, WireType } from "../wire/walker.ts";
import { WireError } from "../wire/wire-error.ts";
import { type Ask, type Question, questionOf } from "./asks.ts";
import type { Caller, CallFailure } from "./caller.ts";
import { exchange } from "./exchange.ts";
import { GET_CAPABILITIES } from "./methods.ts";

/** For whom and what to ask. */
export interface ProbeOptions {
  /** Asks with the credentials it has. */
  readonly caller: Caller;
  /** The instance as the upstream calls it. */
  readonly instance: string;
  /** The questions besides GetCapabilities; those that tell no known servers apart are better left out. */
  readonly asks: Iterable<Ask>;
  /** Milliseconds after which what has not been answered is left out. */
  readonly deadlineMs?: number;
}

/** The answer to one question. */
export interface Observation {
  readonly ask: Ask;
  /** A gRPC status code, OK included. */
  readonly status: number;
  /** The message of the status, cut to 512 characters. */
  readonly text: string;
  /** Names of services, of which reflection may tell 256; otherwise empty. */
  readonly services: readonly string[];
}

/** All that a server answered for one instance name and one caller, at most some 1.2 MiB. */
export interface Observations {
  /** The `ServerCapabilities`, not read yet; null if there is none of at most 1 MiB. */
  readonly capabilities: Buffer | null;
  /** The status of GetCapabilities, also one that says nothing about the server; null if it was not answered in time. */
  readonly capabilitiesStatus: number | null;
  /** The answers that say something about the server, in the order of the questions. */
  readonly signs: readonly Observation[];
}

const DEADLINE_MS = 2000;
const MAX_BYTES = 1024 * 1024;
const MAX_MESSAGES = 16;
const MAX_TEXT = 512;
const MAX_SERVICES = 256;
const MAX_SERVICE_NAME = 256;

/** Statuses that are about the caller or the moment. */
const SAYS_NOTHING: ReadonlySet<number> = new Set([
  Status.CANCELLED,
  Status.DEADLINE_EXCEEDED,
  Status.PERMISSION_DENIED,
  Status.RESOURCE_EXHAUSTED,
  Status.UNAVAILABLE,
  Status.UNAUTHENTICATED,
]);

/** Whether a call that ended so tells something about the server, and not about the caller or the moment. */
export function saysSomething(status: number): boolean {
  return !SAYS_NOTHING.has(status);
}

/** Asks everything at once. What fails, lasts too long or is too large is left out; only defects throw. */
export async function probe(options: ProbeOptions): Promise<Observations> {
  const { caller, instance, asks, deadlineMs = DEADLINE_MS } = options;
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), deadlineMs);
  // A caller that does not let go of a call must not hold up the others.
  const late = new Promise<null>((resolve) => stop.signal.addEventListener("abort", () => resolve(null)));
  const inTime = <T>(work: Promise<T>): Promise<T | null> => Promise.race([work, late]);
  try {
    const [answer, ...answers] = await Promise.all([
      inTime(call(caller, GET_CAPABILITIES, capabilitiesQuestion(instance), stop.signal)),
      ...[...new Set(asks)].map((ask) =>
        inTime(observe(caller, ask, questionOf(ask, instance), stop.signal)),
      ),
    ]);
    return {
      capabilities: answer?.status === Status.OK ? answer.message : null,
      capabilitiesStatus: answer?.status ?? null,
      signs: answers.filter((sign) => sign !== null),
    };
  } finally {
    clearTimeout(timer);
    stop.abort();
  }
}

function capabilitiesQuestion(instance: string): Question {
  const out = new FieldWriter();
  if (instance !== "") out.text(1, instance);
  return { paths: [GET_CAPABILITIES], request: out.toBuffer() };
}

async function observe(
  caller: Caller,
  ask: Ask,
  question: Question,
  stop: AbortSignal,
): Promise<Observation | null> {
  for (const path of question.paths) {
    const answer = await call(caller, path, question, stop);
    if (answer === null || answer.tooMuch || !saysSomething(answer.status)) return null;
    const isLast = path === question.paths.at(-1);
    if (answer.status === Status.UNIMPLEMENTED && !isLast) continue;
    const services = ask === "reflection" ? servicesIn(answer.message) : [];
    return services && { ask, status: answer.status, text: answer.text, services };
  }
  return null;
}

/** How a call ended. */
interface Answer {
  readonly status: number;
  readonly text: string;
  /** The first message, if all together are no more than there should be. */
  readonly message: Buffer | null;
  readonly tooMuch: boolean;
}

async function call(
  caller: Caller,
  path: string,
  { request, resourceName }: Question,
  stop: AbortSignal,
): Promise<Answer | null> {
  let first: Buffer | null = null;
  let bytes = 0;
  let messages = 0;
  try {
    for await (const message of exchange(() => caller.open(path, resourceName), [[request]], stop)) {
      first ??= message;
      bytes += message.length;
      messages++;
      if (bytes > MAX_BYTES || messages > MAX_MESSAGES) {
        return { status: Status.OK, text: "", message: null, tooMuch: true };
      }
    }
  } catch (error) {
    if (!isFailure(error)) throw error;
    if (stop.aborted) return null;
    return { status: error.code, text: error.message.slice(0, MAX_TEXT), message: null, tooMuch: false };
  }
  return { status: Status.OK, text: "", message: first, tooMuch: false };
}

function isFailure(error: unknown): error is CallFailure {
  return error instanceof Error && typeof (error as Partial<CallFailure>).code === "number";
}

/** The services in a `ServerReflectionResponse`; null if it cannot be read. */
function servicesIn(response: Buffer | null): string[] | null {
  const services: string[] = [];
  try {
    for (const list of parts(response ?? Buffer.alloc(0), 6)) {
      for (const service of parts(list, 1)) {
        for (const name of parts(service, 1)) {
          if (services.length < MAX_SERVICES && name.length <= MAX_SERVICE_NAME)
            services.push(name.toString());
        }
      }
    }
  } catch (error) {
    if (error instanceof WireError) return null;
    throw error;
  }
  return services;
}

function* parts(message: Buffer, number: number): Generator<Buffer> {
  const field = new Walker(message);
  while (field.next()) {
    if (field.number === number && field.wireType === WireType.LEN) yield field.bytes();
  }
}
