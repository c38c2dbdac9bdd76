/**
 * The contract of a translator: everything the bridge does about one feature, in both directions. docs/adding-a-feature.md is a guide.
 *
 * A translation is needed when a form that one side writes is not among those the other reads. What happens then stands in two tables
 * keyed (form written → form read): `toServer` for what the client writes, `toClient` for what the server writes. Either may edit the
 * request and the response of a call.
 */
import type { Log } from "../observe/log.ts";
import type { ActionCounters } from "../observe/metrics.ts";
import type { Dialect, PeerFacts, Support } from "../peers/dialect.ts";
import type { ApiWindow } from "../peers/version-rule.ts";
import type { ElementId } from "../spec/ledger.ts";
import type { RefusalCode } from "../spec/refusal-codes.ts";
import type { Level } from "../spec/versions.ts";
import type { Blob, Upstream } from "../upstream/port.ts";
import type { Digest } from "../wire/digest.ts";
import type { FieldVisitor } from "../wire/field-scanner.ts";
import type { MemoryAllowance } from "../wire/message-buffer.ts";

/** One thing in which peers differ. */
export interface Feature {
  /** Lower case with hyphens: its name in policies, profiles, errors and `explain`. */
  readonly id: string;
  readonly title: string;
  /** The level that introduced it; `ahead` for proposals, `quirk` for behaviour of some peers. */
  readonly since: Level | "ahead" | "quirk";
  /** The items of the drift catalogue it answers, the one that errors name first; none where nothing ever differed. */
  readonly drift: readonly string[];
  /** Why it needs attention: what goes wrong without the bridge. */
  readonly why: string;
  /** Its forms, each in a line. */
  readonly forms: Readonly<Record<string, string>>;
  /** Those of the forms that are mistakes: any client may make them, and none is known to. */
  readonly mistakes?: readonly string[];
}

/** The two dialects a plan is for. */
export interface Pair {
  readonly client: Dialect<"client">;
  readonly server: Dialect<"server">;
  /** The API versions told to the client in place of the server's own (D02); absent where it is told those. */
  readonly window?: ApiWindow;
}

/** A change to a message: the new message in slices, or null to leave it as it is. */
export type Edit = readonly Buffer[] | null;

/** A call whose messages are opened, as hooks see it. */
export interface Call {
  /** `/package.Service/Method`. */
  readonly method: string;
  /** The instance as the upstream calls it, and as the client does. */
  readonly instance: string;
  readonly clientInstance: string;
  /** The address of the upstream, to tell what is known of one from what is known of others. */
  readonly upstream: string;
  /** The name of the upstream among those that execute; null where there is but one. */
  readonly route: string | null;
  /** The caller's, by name; values of `-bin` names are base64. */
  readonly metadata: readonly (readonly [name: string, value: string])[];
  /** When the caller gives up, in milliseconds of `performance.now()`; null for never. */
  readonly deadline: number | null;
  /** Aborted when the caller is gone. */
  readonly cancelled: AbortSignal;
  /** The upstream, with the caller's metadata and what is left of its deadline. */
  readonly port: Upstream;
  /** The same for digests of one function, by its number (0 to tell by length), and for another instance by the client's name for it. */
  portFor(digestFunction: number, clientInstance?: string): Upstream;
  readonly log: Log;
  /** Adds to a counter of `/metrics`. */
  count(what: keyof ActionCounters, by?: number): void;
  /** What a feature remembers from the request for the response, by its id. */
  readonly scratch: Map<string, unknown>;
  /** What a hook holds beyond its message is charged to it. */
  readonly budget: MemoryAllowance;
  /** Bytes of the largest message that the bridge opens, or makes. */
  readonly maxMessageBytes: number;
}

/** Edits a message: each of a stream, the only one of a unary call. Throws a `BridgeError` to refuse, a `WireError` for broken bytes. */
type MessageHook = (message: Buffer, call: Call, pair: Pair) => Edit | Promise<Edit>;

/**
 * Turns the messages of one direction into others. What a response ends with other than OK its `messages` throw, with the gRPC status as `code`: a hook
 * that catches it answers in its place.
 */
type StreamHook = (
  messages: AsyncIterable<Buffer>,
  call: Call,
  pair: Pair,
) => AsyncIterable<readonly Buffer[]>;

/** Looks at one message of a request as it passes; refuses by throwing a `BridgeError`, at the latest in `complete`. */
export interface RequestScan extends FieldVisitor {
  complete(): void;
}

/** The first message of a call, when it is decided how the call travels. */
export interface FirstMessage {
  /** Its bytes: all of them, or nearly the first 16 KiB. */
  readonly bytes: Buffer;
  readonly whole: boolean;
  /** How many bytes it has in all. */
  readonly length: number;
}

/**
 * Sends requests, whole or in slices, to the upstream, as a call of the same method, and gives its answers. Throws the upstream's status as an
 * `UpstreamError`.
 */
export type Forward = (
  requests: Iterable<Buffer | readonly Buffer[]> | AsyncIterable<Buffer | readonly Buffer[]>,
) => AsyncGenerator<Buffer>;

/**
 * Serves a call, by no, one or several calls of the upstream. Requests come as the upstream would get them; what it yields goes to the client on the way of
 * the upstream's own answers.
 */
type ExchangeHook = (
  requests: AsyncIterable<Buffer>,
  call: Call,
  pair: Pair,
  forward: Forward,
) => AsyncIterable<readonly Buffer[]>;

/** What is done to the calls of one method. Everything but `head` and `scan` takes the call out of the relay lane. */
export interface MethodHooks {
  /**
   * Which calls hooks other than `head` and `scan` have anything to do with; all where it is absent. Calls that no feature wants are relayed. Asked with the
   * first message as it came; true where too little of it shows.
   */
  readonly when?: (first: FirstMessage, pair: Pair) => boolean;
  /** Rewrites one string or bytes field of the first message while the rest streams; what was given, given back, changes nothing. Throws to refuse. */
  readonly head?: {
    readonly field: number;
    rewrite(value: Buffer | null, pair: Pair): Buffer | null;
  };
  /** Watches each message of the request without holding it. */
  readonly scan?: (pair: Pair) => RequestScan;
  readonly request?: MessageHook;
  readonly response?: MessageHook;
  readonly stream?: { readonly request?: StreamHook; readonly response?: StreamHook };
  /** Around the upstream, within all hooks of requests and responses; the first feature's is the outermost. */
  readonly exchange?: ExchangeHook;
  /** Answers in place of the upstream; null lets the upstream answer, if nothing was read of `requests` but the first message. */
  readonly answer?: (
    first: Buffer,
    requests: AsyncIterable<Buffer>,
    call: Call,
    pair: Pair,
  ) => Promise<AsyncIterable<readonly Buffer[]> | null>;
}

/** Rewrites one header of every call of a client, of whatever method, relayed ones included. */
export interface MetadataHook {
  /** Lower case. */
  readonly name: string;
  /**
   * All values of the header in order, as they travel: those of `-bin` names are base64 text. Null leaves them as they are, an empty list
   * takes the header away. Never called without a value. Throws a `BridgeError` to refuse the call.
   */
  rewrite(values: readonly string[], pair: Pair): readonly string[] | null;
}

/** An Action and its Command as one step on the way to the upstream gets them: the client's own, with what the steps before made of them. */
export interface ActionMessages {
  readonly action: Buffer;
  readonly command: Buffer;
}

/** What an action hook may go by besides bytes. */
export interface ActionInputs {
  /** Bytes that no other execution has, the same as long as the operation lives (D43); null unless a `nonce` hook wants them. */
  readonly nonce: Buffer | null;
}

/** What an action hook makes of an action; whatever is absent stays. Digests that follow from it are none of its business. */
export interface ActionEdit {
  readonly action?: Edit;
  readonly command?: Edit;
  /** Directories of the input root that have to be there, by their paths from it: those that are missing are made (D28). */
  readonly directories?: readonly string[];
}

/** What a result hook may look at and make besides the result. */
export interface Originals {
  /** The Action, and its Command, as the feature's own `action` hook got them; null where they are not known or cannot be had. */
  readonly action: () => Promise<Buffer | null>;
  readonly command: () => Promise<Buffer | null>;
  /** Whether the result was found under the digest of the client's own Action while another one runs in its place: then any client may have written it. */
  readonly foreign: boolean;
  /** What the request wants inside of the result, by the client's own names; nothing where the call has no such request. */
  readonly inlined: InlineWishes;
  /** The upstream. */
  readonly port: Upstream;
  /** The digest of bytes, by the function of the call. @throws BridgeError for functions that cannot be computed here. */
  digestOf(bytes: Buffer): Digest;
  /** A blob of the upstream, or one that a hook made for this result. @throws UpstreamError as `Upstream.readBlob`. */
  read(digest: Digest): Promise<Buffer>;
  /**
   * What `make` makes of stored blobs, and nothing else: `key` says of which, and by which rule. Kept, and made again only where nobody remembers it or the
   * upstream has lost a blob of it. The blobs are stored before the client sees the result.
   */
  derive<Value>(key: string, make: () => Promise<Derived<Value>>): Promise<Value>;
}

/** The outputs that an ExecuteRequest or a GetActionResultRequest wants inlined (D44, D51). */
export interface InlineWishes {
  readonly stdout: boolean;
  readonly stderr: boolean;
  /** Paths of output files. */
  readonly files: readonly string[];
}

/** Something made of stored blobs, small enough to keep, and the new blobs that it refers to. */
export interface Derived<Value> {
  readonly value: Value;
  readonly blobs: readonly Blob[];
}

/** Edits an action; pure, and the same for equal input. Throws a `BridgeError` to refuse an execution, which makes a look-up a miss. */
type ActionHook = (given: ActionMessages, inputs: ActionInputs, pair: Pair) => ActionEdit | null;

/** Edits a Directory of the input tree without looking at others; pure. Throws as action hooks do. */
type DirectoryHook = (directory: Buffer, pair: Pair) => Edit;

/** Edits an ActionResult on its way to the client. It may get one that is in the client's form already, and then changes nothing. */
type ResultHook = (result: Buffer, originals: Originals, pair: Pair) => Edit | Promise<Edit>;

/** What is done to messages of the store, whichever call leads to them. Where hooks change nothing, the client's own Action runs. */
export interface ContentHooks {
  readonly action?: ActionHook;
  readonly directory?: DirectoryHook;
  readonly result?: ResultHook;
  /** Whether the execution of an action is to have a nonce. */
  readonly nonce?: (given: ActionMessages, pair: Pair) => boolean;
  /** The path of an output, as a request names it that wants it inlined, in the form that the upstream has for it. */
  readonly outputName?: (path: string, given: ActionMessages, pair: Pair) => string;
}

/** How operations are followed where the plain way does not do (D46). */
export interface OperationManner {
  /** There is no WaitExecution: operations are looked at now and then. */
  readonly polls?: true;
  /** gRPC codes, besides NOT_FOUND, by which the upstream says that it does not know an operation. */
  readonly unknown?: readonly number[];
  /** The client takes NOT_FOUND for the end of WaitExecution: the action is executed again in place of it. */
  readonly lost?: "execute";
  /** The upstream does not name missing blobs in details: the bridge looks for them when an execution fails as if some were (D07). */
  readonly missing?: "searched";
  /** Subjects of missing blobs are `blobs/{hash}/{size}` for the client, whatever the digest function (D07). */
  readonly subjects?: "short";
}

/** Rewrites what does not agree. Hooks return null where a message has nothing to rewrite: most do not. */
export interface Translate {
  readonly kind: "translate";
  /** What is done, for people, as a sentence without its full stop; that one form becomes the other where it is absent. */
  readonly does?: string;
  /** By path of the method. */
  readonly methods?: Readonly<Record<string, MethodHooks>>;
  readonly content?: ContentHooks;
  /** How operations of this upstream are followed for this client. */
  readonly operations?: OperationManner | ((pair: Pair) => OperationManner);
  /** Runs on every call of the pair, and takes none out of the relay lane. */
  readonly metadata?: MetadataHook;
  /** Uses that have no other form on the other side. */
  readonly refuse?: Reject;
  /** Why passing is safe as well, or what is refused instead; only the policy `require` switches the hooks on then. */
  readonly optIn?: string | Reject;
}

/** Lets everything pass: `why` says why what the reader ignores or misses does no harm. */
export interface Pass {
  readonly kind: "pass";
  readonly why: string;
}

/** Refuses calls that use the feature, and only those. */
export interface Reject {
  readonly kind: "reject";
  readonly code: RefusalCode;
  /** What the upstream has instead, as the end of a sentence about it: `reads typed lists only`. */
  readonly has: string | ((pair: Pair) => string);
  /** What to change, as an imperative. */
  readonly fix: string;
  /** Where the use shows. */
  readonly uses: readonly Use[];
  /** No client is known to use it so: it is a safeguard. */
  readonly unusual?: true;
}

/** What is refused, for people. */
export interface UsedThing {
  /** What was used: `Command.output_paths`, `The method SplitBlob`. */
  readonly what: string;
  /** The ledger's entry that says since when; null for what is in no revision. */
  readonly element: ElementId | null;
  /** The field as BadRequest names it: `requests[].compressor`; null for a whole call. */
  readonly text: string | null;
}

/** A field whose presence, or whose value, is a use. */
export interface FieldUse extends UsedThing {
  /** Field numbers from the message down. */
  readonly path: readonly number[];
  /** Whether the payload is a use; by default any is but a varint of 0. Payloads above 64 KiB are not asked about and count as uses. */
  readonly holds?: (payload: Buffer) => boolean;
}

/** Something an action asks for, which may show in the Action or in its Command. */
export interface ActionUse extends UsedThing {
  readonly found: (action: Buffer, command: Buffer, pair: Pair) => boolean;
}

/** A place where a call uses a feature. Whatever is found in a response is refused there: the client never sees it. */
export type Use =
  | { readonly in: "call"; readonly methods: readonly string[]; readonly used: UsedThing }
  | { readonly in: "request" | "response"; readonly methods: readonly string[]; readonly used: FieldUse }
  | { readonly in: "action"; readonly used: ActionUse }
  | { readonly in: "directory"; readonly used: FieldUse };

/** What happens to one form where another is read. */
export type Step = Translate | Pass | Reject;

/** Steps by form written, then by form read; or one reason for the whole direction. */
export type Steps = Pass | Readonly<Record<string, Readonly<Record<string, Step>>>>;

/** What a lens is given. */
export interface Announcement {
  /** A `ServerCapabilities` as the upstream, or the lens before, made it. */
  readonly bytes: Buffer;
  readonly client: Support;
  readonly server: Support;
  readonly pair: Pair;
  /** Whether the operator wants what is opt-in. */
  readonly required: boolean;
}

/** Everything the bridge does about one feature. */
export interface Translator {
  readonly feature: Feature;
  /** Entries of the ledger it answers for; each has exactly one owner. */
  readonly owns: readonly ElementId[];
  /** Features whose hooks run before its own on the way to the server, and after them on the way back. */
  readonly after: readonly string[];
  /** What happens in short when the client, or the server, is the newer one. */
  readonly clientAhead: string;
  readonly serverAhead: string;
  /** The forms of a peer as far as its level or its digest functions tell; null if they do not. Claims count more. */
  support(facts: PeerFacts): Support | null;
  /** What is correct for every peer of which nothing is known. */
  readonly assume: Readonly<Record<"client" | "server", Support>>;
  readonly toServer: Steps;
  readonly toClient: Steps;
  /** Edits what is announced to the client; touches only fields it owns. */
  announce?(announcement: Announcement): Edit;
  /** Whether `announce` runs where the dialects agree on the feature as well: it does where they do not. */
  announceIf?(pair: Pair): boolean;
}
