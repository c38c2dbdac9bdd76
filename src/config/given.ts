import { OPTIONS, type OptionName, type Values } from "./options.ts";

/** The values of all options, or of those that say what one upstream is, and who gave each. */
export class Given {
  private readonly named: boolean;
  private readonly values: Partial<Record<OptionName, unknown>> = {};
  private readonly origins: Partial<Record<OptionName, string>> = {};

  /** `named` is true for one of `upstreams`, whose options are keys and no flags. */
  constructor(named = false) {
    this.named = named;
  }

  /** How the option is given, for messages: `--upstream-key`, or `key`. */
  label(name: OptionName): string {
    const option = OPTIONS[name];
    return this.named ? option.key.slice(option.key.indexOf(".") + 1) : `--${option.name}`;
  }

  /** Whether somebody gave it; false for defaults. */
  has(name: OptionName): boolean {
    return (this.origins[name] ?? "") !== "";
  }

  /** `value` must be of the option's kind; `where` is the flag, variable or place in the file, or empty for a default. */
  set(name: OptionName, value: unknown, where: string): void {
    this.values[name] = value;
    this.origins[name] = where;
  }

  /** The value, if there is one. */
  get<N extends OptionName>(name: N): Values[N] {
    return (this.values as Values)[name];
  }

  /** The value of an option that has a default. */
  need<N extends OptionName>(name: N): NonNullable<Values[N]> {
    const value = this.get(name);
    if (value === undefined || value === null) throw new Error(`the option ${name} has no value`);
    return value;
  }

  /** Who gave the value: `--flag`, `VARIABLE` or `file:line:col: key`. */
  where(name: OptionName): string {
    return this.origins[name] || `the default of ${name}`;
  }
}
