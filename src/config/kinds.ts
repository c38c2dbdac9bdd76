import { didYouMean } from "./did-you-mean.ts";
import { ValueError } from "./value-error.ts";

/** A kind of value: how it is written, and what it means. */
export interface Kind<T> {
  /** Stands for the value in help: `HOST:PORT`. Empty for a switch. */
  readonly placeholder: string;
  /** What the value is in the JSON schema of the file. */
  readonly schema: Readonly<Record<string, unknown>>;
  /** Reads the text of a flag, a variable or a scalar of the file; throws `ValueError`. */
  parse(text: string): T;
}

/** One of a few words; `placeholder` stands for them in help. */
export function choice<const T extends string>(placeholder: string, ...words: readonly T[]): Kind<T> {
  return {
    placeholder,
    schema: { type: "string", enum: words },
    parse(text) {
      const word = words.find((w) => w === text);
      if (word === undefined) {
        throw new ValueError(`must be one of ${words.join(", ")}`, didYouMean(text, words));
      }
      return word;
    },
  };
}

/** A whole number from `min` to `max`. */
export function count(min: number, max: number): Kind<number> {
  return {
    placeholder: "N",
    schema: { type: "integer", minimum: min, maximum: max },
    parse(text) {
      const n = Number(text);
      if (!/^\d+$/.test(text) || n < min || n > max) {
        throw new ValueError(`must be a whole number from ${min} to ${max}`);
      }
      return n;
    },
  };
}

const SIZE_UNITS = { "": 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 } as const;

function sizeText(bytes: number): string {
  const unit = (["GiB", "MiB", "KiB"] as const).find((u) => bytes % SIZE_UNITS[u] === 0) ?? "";
  return `${bytes / SIZE_UNITS[unit]}${unit}`;
}

/** A number of bytes: `1048576`, `64KiB`, `64MiB`, `1GiB`. */
export function size(min: number, max: number): Kind<number> {
  const accepted = `must be a size from ${sizeText(min)} to ${sizeText(max)}, such as 64MiB`;
  return {
    placeholder: "SIZE",
    schema: {
      type: ["integer", "string"],
      pattern: "^\\d+(KiB|MiB|GiB)?$",
      minimum: min,
      maximum: max,
    },
    parse(text) {
      const [, digits, unit] = /^(\d+)(KiB|MiB|GiB)?$/.exec(text) ?? [];
      if (digits === undefined) throw new ValueError(accepted);
      const bytes = Number(digits) * SIZE_UNITS[(unit ?? "") as keyof typeof SIZE_UNITS];
      if (bytes < min || bytes > max) throw new ValueError(accepted);
      return bytes;
    },
  };
}

const TIME_UNITS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const;

function timeText(ms: number): string {
  const unit =
    (["h", "m", "s"] as const).find((u) => ms >= TIME_UNITS[u] && ms % TIME_UNITS[u] === 0) ?? "ms";
  return ms === 0 ? "0s" : `${ms / TIME_UNITS[unit]}${unit}`;
}

/** A time, in milliseconds, within the bounds: `500ms`, `30s`, `5m`, `1h`; where `offAllowed`, `off` is 0. */
export function duration(options: { minMs: number; maxMs: number; offAllowed?: true }): Kind<number> {
  const { minMs, maxMs, offAllowed } = options;
  const range = `a time from ${timeText(minMs)} to ${timeText(maxMs)}, such as 30s`;
  const accepted = `must be ${range}${offAllowed ? ", or off" : ""}`;
  return {
    placeholder: offAllowed ? "TIME|off" : "TIME",
    schema: { type: "string", pattern: `^(\\d+(ms|s|m|h)${offAllowed ? "|off" : ""})$` },
    parse(text) {
      if (offAllowed && text === "off") return 0;
      const [, digits, unit] = /^(\d+)(ms|s|m|h)$/.exec(text) ?? [];
      if (digits === undefined) throw new ValueError(accepted);
      const ms = Number(digits) * TIME_UNITS[unit as keyof typeof TIME_UNITS];
      if (ms < minMs || ms > maxMs) throw new ValueError(accepted);
      return ms;
    },
  };
}

/** True or false. */
export const flagSwitch: Kind<boolean> = {
  placeholder: "",
  schema: { type: "boolean" },
  parse(text) {
    if (text !== "true" && text !== "false") throw new ValueError("must be true or false");
    return text === "true";
  },
};

/** The path of a file. */
export const filePath: Kind<string> = {
  placeholder: "FILE",
  schema: { type: "string", minLength: 1 },
  parse(text) {
    if (text === "") throw new ValueError("must be the path of a file");
    return text;
  },
};
