import assert from "node:assert/strict";
import { test } from "node:test";
import { isLegalName, isLegalValue } from "../../../src/http2/hpack/characters.ts";

const char = String.fromCharCode;

test("names: RFC 9113 section 8.2.1 byte by byte", () => {
  for (let byte = 0; byte < 256; byte++) {
    const forbidden = byte <= 0x20 || (byte >= 0x41 && byte <= 0x5a) || byte >= 0x7f;
    assert.equal(isLegalName(char(byte)), !forbidden, `byte ${byte} alone`);
    assert.equal(isLegalName(`x${char(byte)}y`), !forbidden && byte !== 0x3a, `byte ${byte} inside`);
    assert.equal(isLegalName(`x${char(byte)}`), !forbidden && byte !== 0x3a, `byte ${byte} at the end`);
  }
  assert.equal(isLegalName(""), false);
  assert.equal(isLegalName(":path"), true);
  assert.equal(isLegalName("::path"), false);
  assert.equal(isLegalName("ok\n"), false);
});

test("values: no control character but HTAB, no blank at either end", () => {
  const legal = (text: string): boolean => {
    const bytes = Buffer.from(`<${text}>`, "latin1");
    return isLegalValue(bytes, 1, bytes.length - 1);
  };
  for (let byte = 0; byte < 256; byte++) {
    const control = (byte < 0x20 && byte !== 0x09) || byte === 0x7f;
    const blank = byte === 0x20 || byte === 0x09;
    assert.equal(legal(`a${char(byte)}b`), !control, `byte ${byte} inside`);
    assert.equal(legal(`${char(byte)}b`), !control && !blank, `byte ${byte} in front`);
    assert.equal(legal(`a${char(byte)}`), !control && !blank, `byte ${byte} at the end`);
  }
  assert.equal(legal(""), true);
});
