import assert from "node:assert/strict";
import { test } from "node:test";
import { choice, count, duration, flagSwitch, type Kind, size } from "../../../src/config/kinds.ts";
import { EMBEDDED_LEVELS, httpUrl, listenAddress, upstreamName } from "../../../src/config/place-kinds.ts";
import { ValueError } from "../../../src/config/value-error.ts";
import { LEVELS } from "../../../src/spec/versions.ts";

function refusal(kind: Kind<unknown>, text: string): string {
  try {
    kind.parse(text);
  } catch (error) {
    assert.ok(error instanceof ValueError);
    return error.sentence("x", text);
  }
  return assert.fail(`"${text}" was taken`);
}

test("a size counts bytes, with binary units", () => {
  const kind = size(1024, 2 ** 30);
  assert.equal(kind.parse("1024"), 1024);
  assert.equal(kind.parse("64KiB"), 65_536);
  assert.equal(kind.parse("1GiB"), 2 ** 30);
  for (const text of ["1023", "2GiB", "64MB", "64 MiB", "-1", "1.5MiB", ""]) {
    assert.equal(refusal(kind, text), `x: must be a size from 1KiB to 1GiB, such as 64MiB (got "${text}")`);
  }
});

test("a time is in milliseconds and needs its unit", () => {
  const kind = duration({ minMs: 100, maxMs: 3_600_000 });
  assert.deepEqual(
    ["100ms", "30s", "5m", "1h"].map((text) => kind.parse(text)),
    [100, 30_000, 300_000, 3_600_000],
  );
  for (const text of ["99ms", "2h", "30", "off", "5 m"]) {
    assert.equal(refusal(kind, text), `x: must be a time from 100ms to 1h, such as 30s (got "${text}")`);
  }
});

test("off is zero only where it is allowed, and then zero is not written otherwise", () => {
  const kind = duration({ minMs: 300_000, maxMs: 3_600_000, offAllowed: true });
  assert.equal(kind.parse("off"), 0);
  assert.equal(refusal(kind, "4m"), 'x: must be a time from 5m to 1h, such as 30s, or off (got "4m")');
});

test("a count is whole and within its bounds", () => {
  const kind = count(1, 256);
  assert.equal(kind.parse("256"), 256);
  for (const text of ["0", "257", "1.5", "1e2", "", "many"]) refusal(kind, text);
});

test("a choice tells what was probably meant", () => {
  const kind = choice("LEVEL", "debug", "info", "warn");
  assert.equal(kind.parse("info"), "info");
  assert.equal(
    refusal(kind, "inof"),
    'x: must be one of debug, info, warn (got "inof"); did you mean "info"?',
  );
  assert.equal(refusal(kind, "loud"), 'x: must be one of debug, info, warn (got "loud")');
});

test("a switch is true or false", () => {
  assert.equal(flagSwitch.parse("true"), true);
  assert.equal(flagSwitch.parse("false"), false);
  refusal(flagSwitch, "yes");
});

test("the upstream is plain unless it says grpcs", () => {
  const plain = {
    kind: "address",
    address: { kind: "tcp", host: "h", port: 1 },
    secure: false,
    display: "h:1",
  };
  assert.deepEqual(upstreamName.parse("h:1"), plain);
  assert.deepEqual(upstreamName.parse("grpc://h:1"), plain);
  assert.deepEqual(upstreamName.parse("grpc://h:1/"), plain);
  assert.deepEqual(upstreamName.parse("grpcs://h"), {
    kind: "address",
    address: { kind: "tcp", host: "h", port: 443 },
    secure: true,
    display: "grpcs://h:443",
  });
  assert.deepEqual(upstreamName.parse("unix:///run/x"), {
    kind: "address",
    address: { kind: "unix", path: "/run/x" },
    secure: false,
    display: "unix:/run/x",
  });
});

test("the embedded upstream plays every level of the API, the newest by default", () => {
  assert.deepEqual(EMBEDDED_LEVELS, [...LEVELS]);
  assert.deepEqual(upstreamName.parse("embedded"), { kind: "embedded", level: LEVELS.at(-1) });
  for (const level of LEVELS) {
    assert.deepEqual(upstreamName.parse(`embedded:${level}`), { kind: "embedded", level });
  }
  assert.deepEqual(upstreamName.parse("embedded:buildbarn@2026-03-26"), {
    kind: "embedded",
    server: "buildbarn@2026-03-26",
  });
  assert.match(refusal(upstreamName, "embedded:2.99"), /names the level "2.99"; levels are 2018-11, 2.0/);
});

for (const [text, complaint] of [
  ["http://h:1", /starts with http:\/\/; use grpc:\/\//],
  ["grpc://h", /names no port/],
  ["h:0", /needs a port other than 0/],
  ["grpcs://h:1/path", /is no address/],
] as const) {
  test(`${text} is no upstream`, () => assert.match(refusal(upstreamName, text), complaint));
}

test("a listener does not speak TLS by its address", () => {
  assert.deepEqual(listenAddress.parse("grpc://h:1"), { kind: "tcp", host: "h", port: 1 });
  assert.match(refusal(listenAddress, "grpcs://h:1"), /TLS is turned on by --tls-cert/);
});

test("the HTTP upstream is a plain base URL", () => {
  assert.equal(httpUrl.parse("http://cache:8080"), "http://cache:8080");
  assert.equal(httpUrl.parse("http://cache:8080/base/"), "http://cache:8080/base");
  for (const text of ["cache:8080", "https://cache", "http://", "nonsense"]) {
    assert.match(refusal(httpUrl, text), /must be http:\/\/HOST:PORT/);
  }
  for (const text of ["http://me:pw@cache", "http://cache/?a=b", "http://cache/#x"]) {
    assert.match(refusal(httpUrl, text), /must have no user, query or fragment/);
  }
});
