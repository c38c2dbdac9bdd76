import assert from "node:assert/strict";
import { test } from "node:test";
import { formatAddress, parseAddress } from "../../../src/config/address.ts";
import { ValueError } from "../../../src/config/value-error.ts";

for (const [text, address] of [
  ["buildfarm:8980", { kind: "tcp", host: "buildfarm", port: 8980 }],
  ["127.0.0.1:0", { kind: "tcp", host: "127.0.0.1", port: 0 }],
  ["a-b.example.com.:65535", { kind: "tcp", host: "a-b.example.com.", port: 65535 }],
  ["[::1]:8980", { kind: "tcp", host: "::1", port: 8980 }],
  ["[fe80::1%eth0]:1", { kind: "tcp", host: "fe80::1%eth0", port: 1 }],
  ["unix:/run/bridge.sock", { kind: "unix", path: "/run/bridge.sock" }],
  ["unix:bridge.sock", { kind: "unix", path: "bridge.sock" }],
] as const) {
  test(`${text} is read and written back`, () => {
    assert.deepEqual(parseAddress(text), address);
    assert.equal(formatAddress(parseAddress(text)), text);
  });
}

test("unix:///path is unix:/path", () => {
  assert.deepEqual(parseAddress("unix:///run/x"), { kind: "unix", path: "/run/x" });
});

test("the default port is used only where none is written", () => {
  assert.deepEqual(parseAddress("host", 443), { kind: "tcp", host: "host", port: 443 });
  assert.deepEqual(parseAddress("[::1]", 443), { kind: "tcp", host: "::1", port: 443 });
  assert.deepEqual(parseAddress("host:1", 443), { kind: "tcp", host: "host", port: 1 });
});

for (const [text, complaint] of [
  ["buildfarm", /names no port/],
  ["[::1]", /names no port/],
  [":8980", /names no host/],
  ["::1:8980", /brackets around an IPv6 address/],
  ["host:", /has the port ""/],
  ["host:port", /has the port "port"/],
  ["host:65536", /ports are 0 to 65535/],
  ["host:-1", /has the port "-1"/],
  ["host:8980/path", /is no address/],
  ["user@host:1", /is no address/],
  ["two words:1", /is no address/],
  ["-host:1", /has the host "-host"/],
  ["[localhost]:1", /has the host "localhost"/],
  ["", /names no host/],
  ["unix:", /names no path/],
  [`unix:/${"x".repeat(103)}`, /more than 103 bytes/],
] as const) {
  test(`"${text.slice(0, 40)}" is refused`, () => {
    assert.throws(
      () => parseAddress(text),
      (error) => error instanceof ValueError && complaint.test(error.message),
    );
  });
}
