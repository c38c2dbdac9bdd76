import type { Dialect } from "../../src/peers/dialect.ts";
import type { ResolvedClient, ResolvedProfile, ResolvedServer, Role } from "../../src/peers/profile.ts";
import { shippedProfiles } from "../../src/peers/read-profile.ts";
import { levelServer, serverFacts, unknownServer } from "../../src/peers/server-dialect.ts";
import { type Explanation, explain } from "../../src/plan/explain.ts";
import { shortName } from "../../src/plan/explain-outcome.ts";
import type { Row, Use } from "../../src/plan/explain-rows.ts";
import type { KnownClient } from "../../src/plan/known-client.ts";
import { Planner } from "../../src/plan/planner.ts";
import { LEVELS } from "../../src/spec/versions.ts";
import { EXECUTE } from "../../src/translators/methods.ts";
import { TRANSLATORS } from "../../src/translators/registry.ts";
import { resolveDialect } from "../../src/translators/resolve-dialect.ts";
import { levelPeers, nameOf, SEEN_AS_IT_IS } from "./level-peers.ts";
import { table } from "./markdown.ts";
import { mergeRuns, type Run } from "./runs.ts";

const profiles = shippedProfiles();
const planner = new Planner(TRANSLATORS, {});

/** A client and a server, and what becomes of them. */
interface Pair {
  readonly client: ResolvedClient;
  readonly server: ResolvedServer;
  readonly explanation: Explanation;
}

/** All peers of a role, each with all its ranges. */
function peers<P extends ResolvedProfile>(
  ranges: (name: string) => readonly P[],
  role: Role,
): (readonly P[])[] {
  const all = new Set(profiles.names(role).map(ranges));
  return [...all].sort(([a], [b]) => a!.title.localeCompare(b!.title, "en"));
}

const CLIENTS = peers((name) => profiles.ranges("client", name), "client");
const SERVERS = peers((name) => profiles.ranges("server", name), "server");

function dialectOf(server: ResolvedServer): Dialect<"server"> {
  return resolveDialect(serverFacts({ ...unknownServer(server.name), configured: server }), TRANSLATORS);
}

const PAIRS: ReadonlyMap<ResolvedServer, readonly Pair[]> = new Map(
  SERVERS.flat().map((server) => {
    const dialect = dialectOf(server);
    const pairs = CLIENTS.flat().map((client) => ({
      client,
      server,
      explanation: explain([client], dialect, planner),
    }));
    return [server, pairs];
  }),
);

function refusals({ rows }: Explanation, ...uses: readonly Use[]): Row[] {
  return rows.filter(({ verdict, use }) => verdict === "reject" && uses.includes(use));
}

function featuresOf(rows: readonly Row[]): string {
  return [...new Set(rows.map(({ feature }) => feature))].join(", ");
}

/** What becomes of a client at a server, in a few words. */
function verdict(explanation: Explanation): string {
  const { versions, methods, rows, outcome } = explanation;
  if (versions.clients.some((client) => client.verdict === "refuses")) return "client stops: versions";
  if (outcome.kind === "stops") {
    const gone = methods.filter(({ lane, need }) => lane === "reject" && need === "required");
    const names = gone.map(({ path }) => shortName(path).replace(/.*\//, ""));
    return `client stops: ${names.sort().join(", ")}`;
  }
  const refused = refusals(explanation, "always");
  if (refused.length > 0) return `refused: ${featuresOf(refused)}`;
  const partly = refusals(explanation, "partly");
  if (partly.length > 0) return `partly refused: ${featuresOf(partly)}`;
  const changes =
    versions.changed || rows.some(({ verdict, use }) => verdict === "translate" && use !== "never");
  return changes ? "translated" : "as it is";
}

function verdictsAt(server: ResolvedServer): string[] {
  return PAIRS.get(server)!.map(({ explanation }) => verdict(explanation));
}

function executes(server: ResolvedServer): boolean {
  return PAIRS.get(server)!.some(({ explanation }) =>
    explanation.methods.every(({ path, lane }) => path !== EXECUTE || lane !== "reject"),
  );
}

/** The table of one server: its ranges across, the clients down, each merged where all is alike. */
function serverSection(ranges: readonly ResolvedServer[]): string {
  const columns = mergeRuns(ranges, (server) => `${verdictsAt(server)} ${executes(server)}`);
  const verdicts = columns.map(({ first }) => verdictsAt(first));
  const all = CLIENTS.flat();
  const cellsOf = (client: ResolvedClient) => verdicts.map((column) => column[all.indexOf(client)]!);
  const lines = CLIENTS.flatMap((client) => mergeRuns(client, (line) => cellsOf(line).join("|")));
  const groups = Map.groupBy(lines, ({ first }) => cellsOf(first).join("|"));
  const rows = [...groups.values()].map((members) => [
    members.map(runName).join("; "),
    ...cellsOf(members[0]!.first),
  ]);
  const heads = columns.map((run) => `${run.range || "all"}${executes(run.first) ? "" : " (cache)"}`);
  return `### ${ranges[0]!.title}\n\n${table(["client", ...heads], rows)}`;
}

function runName({ first, range }: Run<ResolvedProfile>): string {
  return `${first.title} ${range}`.trim();
}

const WHEN = {
  always: "always",
  partly: "yes; another form of the same clients gets through",
  optional: "if called; the client can do without",
  "if-announced": "if used although it is not announced",
} as const satisfies Partial<Record<Use, string>>;
const USES = Object.keys(WHEN) as readonly Use[];

/** A refusal of a feature in one form, and who is concerned in what way. */
interface Hit {
  readonly row: Row;
  readonly client: ResolvedClient;
  readonly server: ResolvedServer;
}

/** What is refused of one feature, where, and the way out. */
function gap(id: string, hits: readonly Hit[]): string {
  const { feature } = TRANSLATORS.find((translator) => translator.feature.id === id)!;
  const fixes = new Set(hits.flatMap(({ row }) => row.refused?.fix ?? []));
  const groups = [...Map.groupBy(hits, ({ row }) => `${USES.indexOf(row.use)} ${row.from}`)].sort();
  const lines = groups.flatMap(([, same]) => gapLines(same));
  return (
    `### ${id}\n\n${feature.title}: [features.md](features.md#${id}). ${feature.why} Way out: ${[...fixes].join("; or ")}.\n\n` +
    `${table(["written as", "by", "at", "refused"], lines)}`
  );
}

/** Servers at which the same clients are concerned share a line. */
function gapLines(hits: readonly Hit[]): string[][] {
  const { from, use } = hits[0]!.row;
  const clientsAt = Map.groupBy(hits, ({ server }) => server);
  const groups = Map.groupBy(clientsAt, ([, at]) => linesOf(at, "client", CLIENTS));
  return [...groups].map(([clients, at]) => {
    const servers = at.flatMap(([, concerned]) => concerned);
    return [`\`${from}\``, clients, linesOf(servers, "server", SERVERS), WHEN[use as keyof typeof WHEN]];
  });
}

/** The peers of one side, with the ranges where they are not all of a peer's. */
function linesOf(hits: readonly Hit[], role: Role, all: readonly (readonly ResolvedProfile[])[]): string {
  const names = new Set(hits.map((hit) => hit[role].name));
  return all
    .flatMap((ranges) =>
      mergeRuns(ranges, ({ name }) => String(names.has(name))).filter(({ first }) => names.has(first.name)),
    )
    .map(runName)
    .join(", ");
}

function gaps(): string {
  const hits = [...PAIRS.values()]
    .flat()
    .flatMap(({ client, server, explanation }) =>
      refusals(explanation, ...USES).map((row): Hit => ({ row, client, server })),
    );
  const byFeature = [...Map.groupBy(hits, ({ row }) => row.feature)].sort(([a], [b]) => (a < b ? -1 : 1));
  return byFeature.map(([id, of]) => gap(id, of)).join("");
}

/** Clients of one level at servers of another, as far as the level says it. */
function levelTable(): string {
  const servers = LEVELS.map((level) => resolveDialect(levelServer(level), TRANSLATORS));
  const at = LEVELS.map((level) => servers.map((server) => explain(level as KnownClient, server, planner)));
  const word = (explanation: Explanation) =>
    verdict(explanation).replace(/:.*/, "").replace("partly refused", "partly");
  const same = (i: number, j: number) => at.every((row) => word(row[i]!) === word(row[j]!));
  const columns = LEVELS.map((_, i) => i).filter((i) => i === 0 || !same(i, i - 1));
  const rowText = (i: number) => columns.map((j) => word(at[i]![j]!));
  const rows = LEVELS.map((_, i) => i).filter(
    (i) => i === 0 || String(rowText(i)) !== String(rowText(i - 1)),
  );
  const span = (starts: readonly number[], i: number) => {
    const last = (starts[starts.indexOf(i) + 1] ?? LEVELS.length) - 1;
    return last === i ? LEVELS[i]! : `${LEVELS[i]} to ${LEVELS[last]}`;
  };
  return table(
    ["client ↓ server →", ...columns.map((j) => span(columns, j))],
    rows.map((i) => [span(rows, i), ...rowText(i)]),
  );
}

/** A row at a client and a server of these levels, by their places. */
interface LevelHit {
  readonly row: Row;
  readonly client: number;
  readonly server: number;
}

/** All rows between peers that do just as the text of their levels says. */
function levelHits(): LevelHit[] {
  const known = levelPeers();
  const servers = LEVELS.map((level) => dialectOf(known.resolve("server", nameOf("server", level))));
  return LEVELS.flatMap((level, client) =>
    servers.flatMap((dialect, server) => {
      const { rows } = explain([known.resolve("client", nameOf("client", level))], dialect, planner);
      return rows.map((row) => ({ row, client, server }));
    }),
  );
}

/** A line for each group of rows, with the levels of both sides. */
function levelLines(
  heads: readonly string[],
  hits: readonly LevelHit[],
  cellsOf: (row: Row) => readonly string[],
): string {
  const groups = [...Map.groupBy(hits, ({ row }) => JSON.stringify(cellsOf(row)))];
  const lines = groups
    .sort(([a], [b]) => a.localeCompare(b, "en"))
    .map(([, same]) => {
      const spans = (["client", "server"] as const).map((side) => {
        const levels = same.map((hit) => hit[side]);
        const [low, high] = [Math.min(...levels), Math.max(...levels)];
        return low === high ? LEVELS[low]! : `${LEVELS[low]} to ${LEVELS[high]}`;
      });
      const [feature, ...others] = cellsOf(same[0]!.row);
      return [feature!, ...spans, ...others];
    });
  return table(heads, lines);
}

function levelGaps(hits: readonly LevelHit[]): string {
  const refused = hits.filter(({ row }) => row.refused !== null && USES.includes(row.use));
  return levelLines(["refused", "clients", "servers"], refused, ({ feature }) => [linkTo(feature)]);
}

function levelPasses(hits: readonly LevelHit[]): string {
  const passed = hits.filter(
    ({ row: { verdict, feature, direction } }) =>
      verdict === "pass" && SEEN_AS_IT_IS[feature]?.includes(direction) === true,
  );
  return levelLines(["seen as it is", "clients", "servers", "why"], passed, ({ feature, why }) => [
    linkTo(feature),
    why,
  ]);
}

function linkTo(feature: string): string {
  return `[${feature}](features.md#${feature})`;
}

/** The text of `docs/compatibility.md`. */
export function compatibilityPage(): string {
  const hits = levelHits();
  return `\
<!-- Written by scripts/generate-reference.ts from the translators and config/profiles: change those. -->

# Compatibility

What becomes of each known client at each known server ([profiles.md](profiles.md)) with the bridge between them. \`reapi-bridge explain
--client NAME --server NAME\` says the same of one pair at length, with the evidence.

**As it is**: nothing is changed, all calls are relayed. **Translated**: something is changed on the way, nothing is refused that the client sends
by itself. **Partly refused**: of these features the client has several forms, of which the server reads some; calls in another one are refused.
**Refused**: calls that use these features are refused by name ([errors.md](errors.md)), the others are served. **Client stops**: it ends by its
own rule about API versions (no versions could be told that are true), or cannot do without these methods. Servers marked *cache* execute nothing.
Clients that share a row, and versions that share a column, are alike there.

## Clients at servers

${SERVERS.map(serverSection).join("")}\
## Gaps

What is refused, by feature; besides that, calls of methods that a server does not have at all. Where outputs are asked for in another way than
the client's own (\`output-paths\`, \`output-nesting\`), one of another type than the client declares is an error of the bridge's, as it is one of
servers that read those lists ([output-types](features.md#output-types)).

${gaps()}\
## Levels

Clients that follow one level of the API at servers that follow another, as far as the level says it; real peers rarely do. *Partly*: what the
client may also write in a form that the server reads, and what is announced before it is used, passes or is translated; the rest is refused.

${levelTable()}\
The refusals between peers that do all that the text of their level says, also where known ones do not (how programs are found: \`argv0\`):

${levelGaps(hits)}\
What a client sees otherwise there although nothing is changed or refused; besides, a newer server may take what an older one refuses:

${levelPasses(hits).trimEnd()}
`;
}
