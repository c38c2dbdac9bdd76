import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { HpackDecoder, HpackError } from "../../../src/http2/hpack/decoder.ts";
import type { Field } from "../../../src/http2/hpack/field.ts";
import { internName } from "../../../src/http2/hpack/name.ts";
import { staticEntries } from "../../../src/http2/hpack/static-table.ts";
import { decode, lines } from "./support.ts";

/** A literal with incremental indexing, plain: `x-NAME: VALUE`, as hex. */
function indexing(name: string, value: string): string {
  return `40${plain(name)}${plain(value)}`;
}

/** A plain string literal of fewer than 127 bytes as hex. */
function plain(text: string): string {
  return Buffer.from([text.length, ...Buffer.from(text, "latin1")]).toString("hex");
}

describe("references", () => {
  test("reach every entry of the static table", () => {
    const decoder = new HpackDecoder();
    for (let index = 1; index <= 61; index++) {
      const [field] = decode(decoder, Buffer.of(0x80 | index));
      const [name, value] = staticEntries[index]!;
      assert.equal(field!.name.text, name);
      assert.equal(field!.value, value);
      assert.equal(field!.size, name.length + value.length + 32);
    }
  });

  test("give the same object each time", () => {
    const decoder = new HpackDecoder();
    const [first, again] = decode(decoder, `${indexing("x-a", "1")} be`);
    assert.equal(again, first);
    assert.deepEqual(decode(decoder, "be 82 82"), [
      first,
      decode(decoder, "82")[0],
      decode(decoder, "82")[0],
    ]);
    assert.equal(decode(decoder, "be")[0], first);
  });

  test("reach entries whose index takes several bytes", () => {
    const decoder = new HpackDecoder();
    for (let i = 0; i < 100; i++) decode(decoder, indexing("a", String(i)));
    assert.deepEqual(lines(decode(decoder, "ff 22")), ["a: 0"]);
    assert.deepEqual(lines(decode(decoder, "ff a2 80 00")), ["a: 0"]);
    assert.throws(() => decode(decoder, "ff 23"), HpackError);
  });

  test("lend their name to a literal", () => {
    const decoder = new HpackDecoder();
    const [first] = decode(decoder, indexing("x-a", "1"));
    const [second] = decode(decoder, `7e${plain("2")}`);
    const [third] = decode(decoder, `0f30${plain("3")}`);
    assert.equal(second!.name, first!.name);
    assert.equal(third!.name, first!.name);
    assert.equal(second!.value + third!.value, "23");
  });
});

describe("names", () => {
  test("are the interned objects, in plain and in Huffman form", () => {
    const known = internName("grpc-timeout");
    const huffman = known.literal.toString("hex");
    assert.ok(known.literal[0]! >= 0x80);
    for (const name of [plain("grpc-timeout"), huffman, plain("grpc-timeout"), huffman]) {
      const [field] = decode(new HpackDecoder(), `00${name}${plain("1S")}`);
      assert.equal(field!.name, known);
    }
  });

  test("that a peer brings are one object, also for who asks for it later", () => {
    const [first] = decode(new HpackDecoder(), `00${plain("x-brought")}${plain("1")}`);
    const [second] = decode(new HpackDecoder(), `00${plain("x-brought")}${plain("2")}`);
    assert.equal(second!.name, first!.name);
    assert.equal(internName("x-brought"), first!.name);
  });

  test("that the program knows stay what they are when peers bring thousands of others", () => {
    const known = internName("x-known");
    for (let i = 0; i < 5000; i++) {
      const [field] = decode(new HpackDecoder(), `00${plain(`x-flood-${i}`)}${plain("1")}`);
      assert.equal(field!.name.text, `x-flood-${i}`);
    }
    const [field] = decode(new HpackDecoder(), `00${plain("x-known")}${plain("1")}`);
    assert.equal(field!.name, known);
  });

  test("know what they are", () => {
    assert.equal(internName(":path").pseudo, true);
    assert.equal(internName(":path").staticIndex, 4);
    assert.equal(internName("x-none").pseudo, false);
    assert.equal(internName("x-none").staticIndex, 0);
    assert.equal(internName("x-none").bytes.toString(), "x-none");
    assert.equal(internName("x-none").role, 0);
  });
});

describe("a retained field", () => {
  test("survives the reuse of the buffer", () => {
    const bytes = Buffer.from(`00${plain("x-a")}${plain("value")}`, "hex");
    const out: Field[] = [];
    new HpackDecoder().decode(bytes, 0, bytes.length, out);
    out[0]!.retain();
    out[0]!.retain();
    bytes.fill(0);
    assert.equal(out[0]!.value, "value");
  });

  test("is not needed for what went into the table", () => {
    const bytes = Buffer.from(indexing("x-a", "value"), "hex");
    const decoder = new HpackDecoder();
    const out: Field[] = [];
    decoder.decode(bytes, 0, bytes.length, out);
    bytes.fill(0);
    assert.equal(out[0]!.value, "value");
    assert.deepEqual(lines(decode(decoder, "be")), ["x-a: value"]);
  });

  test("is one that was too large for the table", () => {
    const bytes = Buffer.from(indexing("x-a", "value"), "hex");
    const decoder = new HpackDecoder(39);
    const out: Field[] = [];
    decoder.decode(bytes, 0, bytes.length, out);
    out[0]!.retain();
    bytes.fill(0);
    assert.equal(out[0]!.value, "value");
    assert.throws(() => decode(decoder, "be"), HpackError);
  });
});

describe("the dynamic table", () => {
  test("evicts the oldest entries when a new one needs room", () => {
    const decoder = new HpackDecoder(3 * 34);
    for (const value of "12345") decode(decoder, indexing("a", value));
    assert.deepEqual(lines(decode(decoder, "be bf c0")), ["a: 5", "a: 4", "a: 3"]);
    assert.throws(() => decode(decoder, "c1"), HpackError);
  });

  test("takes a name from an entry that the new one evicts", () => {
    const decoder = new HpackDecoder(40);
    decode(decoder, indexing("x-a", "1"));
    assert.deepEqual(lines(decode(decoder, `7e${plain("22")} be`)), ["x-a: 22", "x-a: 22"]);
  });

  test("is emptied by an entry larger than itself", () => {
    const decoder = new HpackDecoder(40);
    decode(decoder, indexing("x-a", "1"));
    assert.deepEqual(lines(decode(decoder, indexing("x-a", "123456"))), ["x-a: 123456"]);
    assert.throws(() => decode(decoder, "be"), HpackError);
  });

  test("shrinks and grows with size updates at the start of a block", () => {
    const decoder = new HpackDecoder();
    decode(decoder, indexing("a", "1") + indexing("a", "2"));
    assert.deepEqual(lines(decode(decoder, "3f 03 be")), ["a: 2"]);
    assert.throws(() => decode(decoder, "bf"), HpackError);
    assert.deepEqual(lines(decode(new HpackDecoder(), `20 3fe11f ${indexing("a", "1")} be`)), [
      "a: 1",
      "a: 1",
    ]);
  });
});

describe("the limits of our settings", () => {
  test("an update may not exceed them", () => {
    assert.throws(() => decode(new HpackDecoder(), "3fe21f"), /update to 4097, the limit is 4096/);
    const decoder = new HpackDecoder();
    decoder.setMaxTableSize(8192);
    assert.deepEqual(decode(decoder, "3fe13f"), []);
  });

  test("a lowered limit demands an update with the next block", () => {
    const decoder = new HpackDecoder();
    decoder.setMaxTableSize(100);
    assert.throws(() => decode(decoder, "82"), /no table size update/);
    const other = new HpackDecoder();
    other.setMaxTableSize(100);
    assert.deepEqual(lines(decode(other, "3f45 82")), [":method: GET"]);
    assert.deepEqual(lines(decode(other, "82")), [":method: GET"]);
  });

  test("a limit that is raised again, or above what the peer uses, demands nothing", () => {
    const decoder = new HpackDecoder();
    decode(decoder, "3f01");
    decoder.setMaxTableSize(100);
    assert.equal(decode(decoder, "82").length, 1);
    decoder.setMaxTableSize(10);
    decoder.setMaxTableSize(100);
    assert.equal(decode(decoder, "82").length, 1);
  });
});

describe("the size of the list", () => {
  const block = `82 ${indexing("x-a", "12345")} be 00${plain("b")}81 1f`;

  test("counts names, decoded values and 32 for each field", () => {
    const decoder = new HpackDecoder();
    assert.equal(decode(decoder, block).length, 4);
    assert.equal(decoder.listSize, 42 + 40 + 40 + 34);
    assert.equal(decode(decoder, "82").length, 1);
    assert.equal(decoder.listSize, 42);
  });

  test("ends what is handed out, not what is decoded", () => {
    const decoder = new HpackDecoder();
    decoder.maxListSize = 42 + 39;
    assert.deepEqual(lines(decode(decoder, `${block} 82`)), [":method: GET"]);
    assert.equal(decoder.listSize, 42 + 40 + 40 + 34 + 42);
    assert.deepEqual(lines(decode(decoder, "be")), ["x-a: 12345"]);
    decoder.maxListSize = 42 + 40;
    assert.equal(decode(decoder, `82 be`).length, 2);
  });
});

describe("a malformed list is decoded and marked", () => {
  const literal = (name: string, value: string): string => `00${plain(name)}${plain(value)}`;
  const malformed: Record<string, string> = {
    "an upper-case name": literal("X-a", "1"),
    "an empty name": literal("", "1"),
    "a colon inside a name": literal("a:b", "1"),
    "a blank in a name": literal("a b", "1"),
    "a control character in a name": literal("a\x01", "1"),
    "a name beyond ASCII": literal("a\xe4", "1"),
    "a NUL in a value": literal("a", "x\0y"),
    "a line feed in a value": literal("a", "x\ny"),
    "a carriage return in a value": literal("a", "x\ry"),
    "another control character in a value": literal("a", "x\x1by"),
    "a blank in front of a value": literal("a", " x"),
    "a blank behind a value": literal("a", "x "),
    "a tab behind a value": literal("a", "x\t"),
    "a blank alone": literal("a", " "),
    "a blank in front of a Huffman value": `00${plain("a")}8251 9f`,
    "a blank behind a Huffman value": `00${plain("a")}82 1a 9f`,
  };
  for (const [what, block] of Object.entries(malformed)) {
    test(what, () => {
      const decoder = new HpackDecoder();
      assert.equal(decode(decoder, `82 ${block} 82`).length, 3);
      assert.equal(decoder.malformed, true);
      assert.equal(decode(decoder, "82").length, 1);
      assert.equal(decoder.malformed, false);
    });
  }

  test("also when the bad field comes back from the table", () => {
    const decoder = new HpackDecoder();
    decode(decoder, indexing("A", "1"));
    assert.equal(decoder.malformed, true);
    decode(decoder, "82 be");
    assert.equal(decoder.malformed, true);
    decode(decoder, `7e${plain("2")}`);
    assert.equal(decoder.malformed, true);
    decode(decoder, "82");
    assert.equal(decoder.malformed, false);
  });

  test("but not a tab or a letter beyond ASCII inside a value, nor an empty value", () => {
    const decoder = new HpackDecoder();
    decode(decoder, literal("a", "x\t y") + literal("a", "\xe4") + literal("a", ""));
    assert.equal(decoder.malformed, false);
  });
});

describe("a block is refused", () => {
  const bad: Record<string, [block: string, message: RegExp]> = {
    "with index 0": ["80", /entry 0/],
    "with an index behind the tables": ["be", /entry 62/],
    "with a name behind the tables": ["7e 01 61", /entry 62/],
    "that ends before a name": ["40", /where a string should start/],
    "that ends inside a name": ["40 03 6161", /inside a string/],
    "that ends before a value": ["40 01 61", /where a string should start/],
    "that ends inside a value": ["40 01 61 02 61", /inside a string/],
    "that ends inside an index": ["ff", /cut off/],
    "that ends inside a longer index": ["ff 80 80", /cut off/],
    "that ends inside a length": ["00 01 61 7f", /cut off/],
    "that ends inside a name index": ["0f", /cut off/],
    "with a size update behind a field": ["82 20", /behind a field/],
    "with an index of five more bytes": ["ff 80 80 80 80 00", /too long/],
    "with a length that overflows 32 bits": ["00 01 61 7f ff ff ff ff 0f", /too long/],
    "with a length of nearly 2^28": ["00 01 61 7f ff ff ff 7f", /inside a string/],
    "with a size update that overflows": ["3f ff ff ff ff 7f", /too long/],
    "with bad Huffman padding in a value": ["00 01 61 81 18", /Huffman code in a field value/],
    "with EOS in a value": ["00 01 61 84 ff ff ff ff", /Huffman code in a field value/],
    "with bad Huffman padding in a name": ["00 81 18 01 61", /Huffman code in a field name/],
    "with EOS in a name": ["00 84 ff ff ff ff 01 61", /Huffman code in a field name/],
  };
  for (const [what, [block, message]] of Object.entries(bad)) {
    test(what, () => {
      assert.throws(
        () => decode(new HpackDecoder(), block),
        (error) => error instanceof HpackError && message.test(error.message),
      );
    });
  }

  test("at its end, even if the buffer goes on", () => {
    const bytes = Buffer.from("0001610261617f00", "hex");
    assert.throws(() => new HpackDecoder().decode(bytes, 0, 5, []), HpackError);
    const out: Field[] = [];
    new HpackDecoder().decode(bytes, 0, 6, out);
    assert.deepEqual(lines(out), ["a: aa"]);
  });
});
