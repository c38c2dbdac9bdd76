/** Small shapes of actions, built by one client before one server: through bridges, and without where that does not end as it should. */
import {
  type Sample,
  type SampleOptions,
  SHAPES,
  type Shape,
  sampleOf,
} from "../../../src/client/samples.ts";
import type { HeavyShape } from "../../../src/client/shapes/heavy.ts";
import type { PlayedClient } from "../../peers/client/play-client.ts";
import type { Otherwise } from "./otherwise.ts";
import { type Outcome, ofBuild, text, word } from "./outcome.ts";

/** A shape, small or heavy. */
export type AnyShape = Shape | HeavyShape;

/** A client and the ways to its server. */
export interface Ways {
  /** Plays the client at an address. */
  readonly play: (address: string) => PlayedClient;
  /** The server itself, its bridge, and another bridge that shares nothing with the first. */
  readonly direct: string;
  readonly bridged: string;
  readonly replica: string;
  /** What actions are made with, besides a salt of their own. */
  readonly options: SampleOptions;
  /** Features that are foretold to be refused. */
  readonly refused: ReadonlySet<string>;
  /** Those of them that are refused although the client sees no difference without the bridge: it loses what it does not look at. */
  readonly unseen: ReadonlySet<string>;
  /** What may come of a shape instead of what is expected. */
  otherwise(shape: AnyShape): readonly Otherwise[];
}

/** What came of one shape through the bridge. */
export interface Tried {
  readonly shape: AnyShape;
  /** In a word or two: as at a server of the client's own level, or what instead and why. */
  readonly came: string;
  /** A line each for people. */
  readonly problems: readonly string[];
}

/** The names of all small shapes. */
export const ALL_SHAPES = Object.keys(SHAPES) as Shape[];

/** Tries shapes one after the other, each as an action that nobody has built. */
export async function tryShapes(ways: Ways, shapes: readonly AnyShape[], salt: string): Promise<Tried[]> {
  const { bridged, replica, direct } = ways;
  const { play } = ways;
  const clients: Clients = [play(bridged), play(bridged), play(replica), play(direct)];
  try {
    const tried: Tried[] = [];
    for (const shape of shapes) {
      const { came, problems } = await tryShape(ways, clients, shape, salt);
      tried.push({ shape, came, problems: problems.map((problem) => `${shape}: ${problem}`) });
    }
    return tried;
  } finally {
    for (const client of clients) client.close();
  }
}

/** What came of which shapes, in a line. */
export function told(tried: readonly Tried[]): string {
  return [...Map.groupBy(tried, ({ came }) => came)]
    .map(([came, all]) =>
      came === "ok" ? `ok: ${all.length}` : `${came}: ${all.map(({ shape }) => shape).join(" ")}`,
    )
    .join(" | ");
}

/** The features that were refused. */
export function refusedIn(tried: readonly Tried[]): string[] {
  return tried.flatMap(({ came }) => /^refused:(.*)$/.exec(came)?.[1] ?? []);
}

/** The same client at the bridge, there again, at the other bridge, and at the server. */
type Clients = readonly [
  first: PlayedClient,
  again: PlayedClient,
  elsewhere: PlayedClient,
  direct: PlayedClient,
];

async function tryShape(
  { options, refused, unseen, otherwise }: Ways,
  clients: Clients,
  shape: AnyShape,
  salt: string,
): Promise<Omit<Tried, "shape">> {
  const [first, , , direct] = clients;
  const sample = sampleOf(shape, { ...options, salt });
  const through = ofBuild(await first.buildSample(sample));
  if (through.kind === "ok") return { came: "ok", problems: await fromCaches(clients, sample) };
  if (through.kind === "refused" && unseen.has(through.feature) && refused.has(through.feature))
    return { came: word(through), problems: [] };
  const { manner } = await first.negotiate();
  if (through.kind === "refused" && isOwnRule(sample.expectedBy(manner).failure, through.feature))
    return { came: word(through), problems: [] };
  for (const { why, instead } of through.kind === "refused" ? [] : otherwise(shape)) {
    const expectedBy: Sample["expectedBy"] = (of) => ({ ...sample.expectedBy(of), ...instead });
    const came = ofBuild(await first.buildSample({ ...sample, expectedBy }));
    if (came.kind === "ok") return { came: why, problems: [] };
  }
  const alone = ofBuild(await direct.build(shape, { ...options, salt: `${salt} direct` }));
  const problems = [...broken(through, alone, refused)];
  return {
    came: word(through),
    problems: problems.map((law) => `${law}: ${text(alone)} -> ${text(through)}`),
  };
}

/** Where the bridge itself sees what outputs are, it goes by the rule of the client, which is an error as well. */
function isOwnRule(failure: number | null, feature: string): boolean {
  return failure !== null && feature === "output-types";
}

/** What is broken of the law: what a server of the client's own level shows, or else a refusal that was foretold, and not of what works by itself. */
function* broken(through: Outcome, alone: Outcome, refused: ReadonlySet<string>): Generator<string> {
  if (alone.kind === "ok") yield "worse than without the bridge";
  if (through.kind === "lost") yield "lost silently";
  if (through.kind === "failed") yield "an error that is no refusal by name";
  if (through.kind === "refused" && !refused.has(through.feature)) yield "a refusal that nobody foretold";
}

/** A second build has all from the cache, if that may keep it, and looks the same; and so it does where nobody remembers the first one. */
async function fromCaches([, again, elsewhere]: Clients, sample: Sample): Promise<string[]> {
  const { manner } = await again.negotiate();
  const { failure, exitCode } = sample.expectedBy(manner);
  if (failure !== null) return [];
  const kept = sample.cacheable && exitCode === 0 && manner.looksUp;
  const problems: string[] = [];
  for (const [where, client] of [
    ["again", again],
    ["at another bridge", elsewhere],
  ] as const) {
    const built = await client.buildSample(sample);
    const outcome = ofBuild(built);
    if (outcome.kind !== "ok") problems.push(`${where}: ${text(outcome)}`);
    else if (built.report?.cached !== kept) problems.push(`${where}: cached is ${built.report?.cached}`);
    // What runs each time has shown enough by now.
    if (!kept) break;
  }
  return problems;
}
