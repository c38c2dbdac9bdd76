/** What operators want done with single features. */
import { didYouMean } from "../config/did-you-mean.ts";
import type { Translator } from "../translators/translator.ts";
import type { FeaturePolicy, Policy } from "./plan.ts";

const VALUES: readonly string[] = ["auto", "off", "require"] satisfies FeaturePolicy[];

/** The policy in a map of configuration. @throws RangeError for a feature that does not exist, or another value than auto, off and require. */
export function readPolicy(
  given: Readonly<Record<string, string>>,
  translators: readonly Translator[],
): Policy {
  const ids = translators.map(({ feature }) => feature.id);
  for (const [id, value] of Object.entries(given)) {
    if (!ids.includes(id)) throw new RangeError(`there is no feature called "${id}"${didYouMean(id, ids)}`);
    if (!VALUES.includes(value)) {
      throw new RangeError(
        `the policy of ${id} is "${value}"; it must be ${VALUES.join(", ")}${didYouMean(value, VALUES)}`,
      );
    }
  }
  return given as Policy;
}
