import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { HpackDecoder } from "../../../src/http2/hpack/decoder.ts";
import { HpackEncoder } from "../../../src/http2/hpack/encoder.ts";
import { decode, encodeHex, fieldOf, lines } from "./support.ts";

interface Block {
  readonly hex: string;
  readonly fields: readonly string[];
}

const request1 = [":method: GET", ":scheme: http", ":path: /", ":authority: www.example.com"];
const request2 = [...request1, "cache-control: no-cache"];
const request3 = [
  ...[":method: GET", ":scheme: https", ":path: /index.html", ":authority: www.example.com"],
  "custom-key: custom-value",
];
const response = (status: string, date: string): string[] => [
  `:status: ${status}`,
  "cache-control: private",
  `date: ${date}`,
  "location: https://www.example.com",
];
const response1 = response("302", "Mon, 21 Oct 2013 20:13:21 GMT");
const response2 = response("307", "Mon, 21 Oct 2013 20:13:21 GMT");
const response3 = [
  ...response("200", "Mon, 21 Oct 2013 20:13:22 GMT"),
  "content-encoding: gzip",
  "set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1",
];

/** The blocks of RFC 7541 Appendix C by section, in the order in which one connection carries them. */
const plain: Record<string, { readonly tableSize: number; readonly blocks: readonly Block[] }> = {
  "C.2.1": {
    tableSize: 4096,
    blocks: [
      { hex: "400a637573746f6d2d6b65790d637573746f6d2d686561646572", fields: ["custom-key: custom-header"] },
    ],
  },
  "C.2.2": {
    tableSize: 4096,
    blocks: [{ hex: "040c2f73616d706c652f70617468", fields: [":path: /sample/path"] }],
  },
  "C.2.3": {
    tableSize: 4096,
    blocks: [{ hex: "100870617373776f726406736563726574", fields: ["password: secret"] }],
  },
  "C.2.4": { tableSize: 4096, blocks: [{ hex: "82", fields: [":method: GET"] }] },
  "C.3": {
    tableSize: 4096,
    blocks: [
      { hex: "828684410f7777772e6578616d706c652e636f6d", fields: request1 },
      { hex: "828684be58086e6f2d6361636865", fields: request2 },
      { hex: "828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565", fields: request3 },
    ],
  },
  "C.5": {
    tableSize: 256,
    blocks: [
      {
        hex:
          "4803333032580770726976617465611d4d6f6e2c203231204f637420323031332032303a31333a323120474d54" +
          "6e1768747470733a2f2f7777772e6578616d706c652e636f6d",
        fields: response1,
      },
      { hex: "4803333037c1c0bf", fields: response2 },
      {
        hex:
          "88c1611d4d6f6e2c203231204f637420323031332032303a31333a323220474d54c05a04677a69707738666f6f3d" +
          "4153444a4b48514b425a584f5157454f50495541585157454f49553b206d61782d6167653d333630303b207665727369" +
          "6f6e3d31",
        fields: response3,
      },
    ],
  },
};

const huffman: typeof plain = {
  "C.4": {
    tableSize: 4096,
    blocks: [
      { hex: "828684418cf1e3c2e5f23a6ba0ab90f4ff", fields: request1 },
      { hex: "828684be5886a8eb10649cbf", fields: request2 },
      { hex: "828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf", fields: request3 },
    ],
  },
  "C.6": {
    tableSize: 256,
    blocks: [
      {
        hex:
          "488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad171863c78f0b" +
          "97c8e9ae82ae43d3",
        fields: response1,
      },
      { hex: "4883640effc1c0bf", fields: response2 },
      {
        hex:
          "88c16196d07abe941054d444a8200595040b8166e084a62d1bffc05a839bd9ab77ad94e7821dd7f2e6c7b335dfdf" +
          "cd5b3960d5af27087f3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007",
        fields: response3,
      },
    ],
  },
};

/** Values keep the form they arrived in; literal names always leave in their shorter form. */
function withShortNames(hex: string): string {
  return hex
    .replace("400a637573746f6d2d6b6579", "408825a849e95ba97d7f")
    .replace("100870617373776f7264", "1086ac684783d927");
}

describe("the examples of RFC 7541 Appendix C", () => {
  for (const [section, { tableSize, blocks }] of Object.entries({ ...plain, ...huffman })) {
    test(`${section} decodes, and encodes again to the same bytes`, () => {
      const decoder = new HpackDecoder(tableSize);
      const encoder = new HpackEncoder(tableSize);
      for (const { hex, fields } of blocks) {
        const out = decode(decoder, hex);
        assert.deepEqual(lines(out), fields);
        assert.equal(decoder.malformed, false);
        assert.equal(
          decoder.listSize,
          fields.reduce((sum, line) => sum + line.length - 2 + 32, 0),
        );
        assert.equal(encodeHex(encoder, out), withShortNames(hex));
      }
    });
  }

  for (const [section, { tableSize, blocks }] of Object.entries(huffman)) {
    test(`${section} encodes from fields of our own to the same bytes`, () => {
      const encoder = new HpackEncoder(tableSize);
      for (const { hex, fields } of blocks) {
        const made = fields.map((line) => fieldOf(line, { index: true }));
        assert.equal(encodeHex(encoder, made), hex);
      }
    });
  }
});
