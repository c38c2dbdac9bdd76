import type { TestContext } from "node:test";
import type { Config, Upstream } from "../../src/config/types.ts";
import { type Bridge, type BridgeOptions, createBridge } from "../../src/index.ts";
import { bridgeConfig } from "./raw-h2/bridge.ts";

/** The parts of the configuration that a test sets; an upstream at an address may be given in parts, too. */
export type ConfigParts = Partial<Omit<Config, "upstream">> & {
  readonly upstream?: Partial<Extract<Upstream, { kind: "address" }>>;
};

/** A configuration on ephemeral ports, without admin listener, that stops at once; `upstream` is `host:port`. */
export function configFor(upstream: string, parts: ConfigParts = {}): Config {
  const base = bridgeConfig(upstream);
  const remote = { ...base.upstream, ...parts.upstream } as Upstream;
  return { ...base, admin: null, drain: { minMs: 0, maxMs: 0 }, ...parts, upstream: remote };
}

/** A bridge in this process, stopped when the test is over. */
export async function bridgeTo(
  t: TestContext,
  upstream: string,
  parts: ConfigParts = {},
  options: Omit<BridgeOptions, "config"> = {},
): Promise<Bridge & { readonly address: string }> {
  const bridge = await createBridge({ config: configFor(upstream, parts), ...options });
  t.after(() => bridge.stop());
  return { ...bridge, address: bridge.listening[0]! };
}
