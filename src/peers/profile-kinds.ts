/** The kinds of values that facts in profiles are made of: each is a JSON schema and a type at once. */

/** A JSON schema; what ajv and editors read. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** A kind of value. `is` is for the compiler only and never set. */
export interface Kind<T> {
  readonly schema: JsonSchema;
  readonly optional: boolean;
  readonly is?: T;
}

/** A kind whose value may be left out. */
export interface OptionalKind<T> extends Kind<T> {
  readonly optional: true;
}

/** The value of a kind. */
type ValueOf<K> = K extends Kind<infer T> ? T : never;

/** One of a few words. */
export function choice<const T extends string>(...words: readonly T[]): Kind<T> {
  return { schema: { enum: words }, optional: false };
}

/** Yes or no. */
export const flag: Kind<boolean> = { schema: { type: "boolean" }, optional: false };

/** A number of bytes or things, 0 included. */
export const count: Kind<number> = {
  schema: { type: "integer", minimum: 0, maximum: Number.MAX_SAFE_INTEGER },
  optional: false,
};

/** A text, by a pattern if there is one. */
export function text(pattern?: RegExp): Kind<string> {
  const rule = pattern === undefined ? {} : { pattern: pattern.source };
  return { schema: { type: "string", minLength: 1, ...rule }, optional: false };
}

/** A regular expression, as text. */
export const expression: Kind<string> = {
  schema: { type: "string", minLength: 1, format: "regex" },
  optional: false,
};

/** Any number of values, none of them twice; their order may mean something. */
export function list<T>(item: Kind<T>): Kind<readonly T[]> {
  return { schema: { type: "array", items: item.schema, uniqueItems: true }, optional: false };
}

/** The same kind, which may be left out. */
export function maybe<T>(kind: Kind<T>): OptionalKind<T> {
  return { ...kind, optional: true };
}

/** Named values together. */
export function record<M extends Members>(members: M): Kind<RecordOf<M>> {
  return { schema: recordSchema(members), optional: false };
}

/** Values by name. */
export type Members = Readonly<Record<string, Kind<unknown>>>;

type OptionalNames<M extends Members> = {
  [N in keyof M]: M[N] extends OptionalKind<unknown> ? N : never;
}[keyof M];

/** The object that members make. */
export type RecordOf<M extends Members> = {
  readonly [N in Exclude<keyof M, OptionalNames<M>>]: ValueOf<M[N]>;
} & { readonly [N in OptionalNames<M>]?: ValueOf<M[N]> };

/** The schema of an object with these members and no others. */
export function recordSchema(members: Members, description?: string): JsonSchema {
  const required = Object.keys(members).filter((name) => !members[name]!.optional);
  return {
    ...(description === undefined ? {} : { description }),
    type: "object",
    additionalProperties: false,
    required,
    properties: Object.fromEntries(Object.entries(members).map(([name, { schema }]) => [name, schema])),
  };
}
