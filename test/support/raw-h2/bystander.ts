import assert from "node:assert/strict";
import { connectRaw, message, request } from "./client.ts";
import { end } from "./echo.ts";
import { data } from "./frames.ts";
import type { RawPeer } from "./peer.ts";

/**
 * A call on a connection of its own that stays open while others misbehave, and proves that it is undisturbed by sending
 * something and getting it back.
 */
export class Bystander {
  private readonly client: RawPeer;
  private sent = 0;

  private constructor(client: RawPeer) {
    this.client = client;
  }

  /** Opens the call; the upstream must be an echo for it. */
  static async start(bridge: string, connect = connectRaw): Promise<Bystander> {
    const bystander = new Bystander(await connect(bridge));
    bystander.client.sendHeaders(1, request("/test.Echo/Bystander"));
    await bystander.check();
    return bystander;
  }

  /** One message there and back. */
  async check(): Promise<void> {
    const bytes = message(Buffer.from(`still here ${this.sent}`));
    this.sent += bytes.length;
    this.client.send(data(1, bytes));
    const record = this.client.stream(1);
    const isBack = () => record.received >= this.sent || record.reset !== null || record.ended;
    if (!isBack()) await this.client.waitFor("the bystander's message", isBack);
    assert.equal(record.reset, null, "the bystander's call was reset");
    assert.equal(record.ended, false, "the bystander's call was ended");
    assert.equal(record.received, this.sent);
  }

  /** Ends the call, which must go well to the last, and the connection. */
  async finish(): Promise<void> {
    await this.check();
    this.client.send(end(1));
    assert.equal((await this.client.outcome(1)).grpcStatus, 0);
    this.client.close();
  }
}
