/** The end of an explanation: whether the client gets along, and what to do if not. */
import { EXECUTE } from "../translators/methods.ts";
import type { Method } from "./explain.ts";
import type { Row } from "./explain-rows.ts";
import { type Versions, windowText } from "./explain-versions.ts";

/** Whether the client gets along. */
export interface Outcome {
  /**
   * - `goes`: nothing is refused that the client sends by itself.
   * - `goes-with-refusals`: it goes on, and some of what it sends is refused by name.
   * - `stops`: it ends by itself, or cannot do without a method that is refused.
   */
  readonly kind: "goes" | "goes-with-refusals" | "stops";
  /** One or two sentences. */
  readonly text: string;
  /** What to change, each as an imperative. */
  readonly advice: readonly string[];
}

/** What follows from the parts of an explanation about the client of that name. */
export function explainOutcome(
  client: string,
  versions: Versions,
  rows: readonly Row[],
  methods: readonly Method[],
): Outcome {
  const name = client.replace(/^(a|the) /, (article) => article[0]!.toUpperCase() + article.slice(1));
  const refusals = rows.filter(({ verdict }) => verdict === "reject");
  const sure = refusals.filter(({ use }) => use === "always");
  const fixes = [...new Set(sure.flatMap(({ refused }) => refused?.fix ?? []))];
  const stopped = versions.clients.filter(({ verdict }) => verdict === "refuses");
  if (stopped.length > 0) {
    const [{ line, rule }] = stopped as [Versions["clients"][number]];
    const who = stopped.length === versions.clients.length ? name : `${name}, if it is ${line},`;
    const found = `${who} stops: it ${rule}, finds ${windowText(versions.told)} and says that this is not supported.`;
    const sent = sure.length > 0 ? ` What it would send is refused: ${listOf(sure)}.` : "";
    const advice = [...fixes, "use another version of the client or of the server (docs/compatibility.md)"];
    return { kind: "stops", text: found + sent, advice };
  }
  const gone = methods.filter(({ lane, need }) => lane === "reject" && need === "required");
  if (gone.length > 0) {
    const names = gone.map(({ path }) => shortName(path)).join(", ");
    return {
      kind: "stops",
      text: `${name} cannot do without ${names}, which the server does not have.`,
      advice: ["use a server that has it, or another client"],
    };
  }
  const notes = [
    ...someOf(refusals.filter(({ use }) => use === "partly" || use === "optional")),
    ...(methods.some(({ path, lane }) => path === EXECUTE && lane === "reject")
      ? [" The server executes nothing: it is a cache."]
      : []),
  ].join("");
  if (sure.length === 0) return { kind: "goes", text: `${name} goes on.${notes}`, advice: [] };
  const text = `${name} goes on, and some of what it sends is refused by name: ${listOf(sure)}.${notes}`;
  return { kind: "goes-with-refusals", text, advice: fixes };
}

function someOf(rows: readonly Row[]): string[] {
  return rows.length === 0 ? [] : [` Only where it uses them are refused: ${listOf(rows)}.`];
}

/** `Service/Method`. */
export function shortName(path: string): string {
  return path.replace(/^.*\.(?=\w+\/)/, "");
}

function listOf(rows: readonly Row[]): string {
  return rows.map(({ feature, from }) => `${feature} (${from})`).join(", ");
}
