/** GetActionResult where another action may have run in place of the client's (R4, K4). */
import type { Call } from "../translators/translator.ts";
import { UpdateField } from "../translators/update-request.ts";
import { UpstreamError } from "../upstream/upstream-error.ts";
import type { Digest } from "../wire/digest.ts";
import { digestIn, numberIn, sameDigest } from "../wire/fields.ts";
import { joined, rewriteMessage } from "../wire/rewrite.ts";
import { Status } from "../wire/status.ts";
import { Walker } from "../wire/walker.ts";
import type { Aliases } from "./aliases.ts";
import { noteWishes } from "./inline-wishes.ts";
import type { Prepared, Preparer } from "./prepare.ts";
import { type Forward, LookUpField, type OutputName, withMapped } from "./requests.ts";
import type { ResultHooks, ResultSource } from "./result-hooks.ts";
import { Scope } from "./scope.ts";
import { isTold } from "./status-of.ts";

/** How long an action is taken to stay in the store after it was looked at, in milliseconds: older ones are touched (R4). */
const TOUCHED_FOR = 10 * 60_000;

/** What look-ups of one plan go by. */
export interface LookUpParts {
  readonly preparer: Preparer;
  readonly hooks: ResultHooks;
  /** Whether another action may run in place of the client's. */
  readonly maps: boolean;
  /** Keeps results under keys of its own; null where nobody wants that. */
  readonly aliases: Aliases | null;
  readonly outputName: OutputName;
}

type Outcome = { readonly result: Buffer } | { readonly error: unknown };

/** Serves the look-ups of one plan. */
export class LookUps {
  private readonly parts: LookUpParts;
  private readonly touched = new WeakMap<Prepared, number>();
  /**
   * Whether the next action that nobody remembers is expected to have no entry of its own, as the last one had none: then it is prepared while it is
   * looked up. What was begun for nothing is cut off with the call, and many servers drop the connection of a peer that resets most of its streams.
   */
  private expectsMiss = true;
  /** Remembered actions that had an entry of their own when they were last looked up. */
  private readonly ownEntries = new WeakSet<Prepared>();

  constructor(parts: LookUpParts) {
    this.parts = parts;
  }

  /**
   * Answers a `GetActionResultRequest`: with what is stored under the client's own digest, else with the result of what runs in its place. Whatever
   * goes wrong in between is a miss.
   * @throws UpstreamError: the direct look-up's own, NOT_FOUND for a result that cannot be given the client's form.
   */
  async *get(given: Buffer, call: Call, forward: Forward): AsyncGenerator<Buffer, void, void> {
    const request = this.parts.hooks.some ? withoutShortcut(given) : given;
    if (this.parts.hooks.some) noteWishes(request, LookUpField, call);
    const action = digestIn(request, LookUpField.action);
    if (action === null) {
      yield* forward(request);
      return;
    }
    const scope = new Scope(call, numberIn(request, LookUpField.digestFunction), action);
    const known = this.parts.maps ? this.parts.preparer.remembered(scope, action) : null;
    const ahead = known === null ? this.expectsMiss : !this.ownEntries.has(known);
    const early = ahead && known !== null && isMapped(known) ? this.mapped(request, scope, known) : null;
    const preparing = ahead && this.parts.maps ? this.prepare(scope, action) : null;
    // Where the answer does not wait for it, nobody hears how it ends.
    preparing?.catch(() => {});
    const kept = ahead ? this.kept(scope, action) : null;
    kept?.catch(() => {});
    const found = await outcomeOf(only(forward(request)));
    const own = async () => preparing ?? this.prepare(scope, action);
    // Only what was remembered is looked at here: a client's entry need not wait for the store.
    const foreign = known === null ? this.parts.maps : isMapped(known);
    const direct =
      "result" in found ? await outcomeOf(this.forClient(found.result, scope, foreign, own)) : found;
    this.learn(known, "result" in direct);
    if ("result" in direct) {
      yield direct.result;
      return;
    }
    const prepared = this.parts.maps ? await (preparing ?? this.prepare(scope, action)) : null;
    const other =
      prepared === null || !isMapped(prepared)
        ? null
        : await (early ?? this.mapped(request, scope, prepared));
    if (other !== null && "result" in other) {
      call.count("found");
      yield await this.forClient(other.result, scope, false, async () => prepared);
      return;
    }
    const alias = prepared?.doNotCache === true ? null : await (kept ?? this.kept(scope, action));
    if (alias === null) throw direct.error;
    yield await this.forClient(alias, scope, true, async () => prepared);
  }

  /** Answers an `UpdateActionResultRequest`: it keeps the client's key, and what the upstream made of the result gets the client's form. */
  async *update(request: Buffer, call: Call, forward: Forward): AsyncGenerator<Buffer, void, void> {
    const action = digestIn(request, LookUpField.action);
    const scope = new Scope(call, numberIn(request, UpdateField.digestFunction), action);
    const prepare = async () => (action === null ? null : this.prepare(scope, action));
    for await (const result of forward(request)) {
      const source = { scope, foreign: this.parts.maps, given: async () => (await prepare())?.given ?? null };
      yield await this.edited(result, source);
    }
  }

  /** Takes note of whether an action had an entry of its own. */
  private learn(known: Prepared | null, had: boolean): void {
    if (known === null) this.expectsMiss = !had;
    else if (had) this.ownEntries.add(known);
    else this.ownEntries.delete(known);
  }

  /** The result kept under a key of the bridge's own; null where none is, or nobody wants that. */
  private kept(scope: Scope, action: Digest): Promise<Buffer | null> | null {
    return this.parts.aliases?.get(scope, action) ?? null;
  }

  /** What was written, in the client's form; as the upstream has it where that cannot be: it is stored all the same. */
  private async edited(result: Buffer, source: ResultSource): Promise<Buffer> {
    try {
      return joined(await this.parts.hooks.edit(result, source), result);
    } catch (error) {
      if (isTold(error)) return result;
      throw error;
    }
  }

  /** The action prepared; null where it cannot be: a look-up does not fail for that. */
  private async prepare(scope: Scope, action: Digest): Promise<Prepared | null> {
    try {
      return await this.parts.preparer.prepare(scope, action, { runs: false });
    } catch (error) {
      if (isTold(error)) return null;
      throw error;
    }
  }

  /** The result of what runs in place of the client's action. */
  private async mapped(request: Buffer, scope: Scope, prepared: Prepared): Promise<Outcome> {
    if (prepared.doNotCache) return { error: null };
    const own = withMapped(request, LookUpField, prepared, this.parts.outputName);
    const [outcome] = await Promise.all([
      outcomeOf(scope.port.getActionResult(own)),
      this.touch(scope, prepared),
    ]);
    return outcome;
  }

  /** Has the upstream keep the client's own blobs, which the way to the result begins with. That it fails does no harm to this call. */
  private async touch(scope: Scope, prepared: Prepared): Promise<void> {
    const { action, command } = prepared;
    const last = this.touched.get(prepared);
    this.touched.set(prepared, performance.now());
    // What is looked at for the first time was read just now.
    if (last === undefined || performance.now() - last < TOUCHED_FOR) return;
    await outcomeOf(scope.port.findMissing(command === null ? [action] : [action, command]));
  }

  private async forClient(
    result: Buffer,
    scope: Scope,
    foreign: boolean,
    prepared: () => Promise<Prepared | null>,
  ): Promise<Buffer> {
    try {
      const given = async () => (await prepared())?.given ?? null;
      return joined(await this.parts.hooks.edit(result, { scope, foreign, given }), result);
    } catch (error) {
      if (!isTold(error)) throw error;
      const message = `there is a result, but it cannot be given the client's form: ${(error as Error).message}`;
      throw new UpstreamError(Status.NOT_FOUND, message);
    }
  }
}

function isMapped({ action, mapped }: Prepared): boolean {
  return !sameDigest(action, mapped);
}

/** The request without the wish for no answer if nothing changed (D59): the client compares with a result in its own form. */
function withoutShortcut(request: Buffer): Buffer {
  const slices = rewriteMessage(new Walker(request), ({ number }) =>
    number === LookUpField.unlessChanged ? "drop" : "keep",
  );
  return joined(slices, request);
}

async function outcomeOf(result: Promise<unknown>): Promise<Outcome> {
  try {
    return { result: (await result) as Buffer };
  } catch (error) {
    return { error };
  }
}

async function only(results: AsyncIterable<Buffer>): Promise<Buffer> {
  let found: Buffer | null = null;
  for await (const result of results) found ??= result;
  if (found === null)
    throw new UpstreamError(Status.INTERNAL, "the upstream answered GetActionResult with nothing");
  return found;
}
