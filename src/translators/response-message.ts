/** ExecuteResponse.message (D49), for clients from before it. */

import { isPacked } from "../wire/any.ts";
import { rewriteField, rewriteMessage } from "../wire/rewrite.ts";
import { Walker, WireType } from "../wire/walker.ts";
import type { Edit } from "./translator.ts";

const TYPE = "build.bazel.remote.execution.v2.ExecuteResponse";

/** Field numbers: Operation.response, the value of that Any, fields of ExecuteResponse and of the Status in it. */
const RESPONSE = 5;
const VALUE = 2;
const ResponseField = { status: 3, message: 5 } as const;
const StatusField = { code: 1, message: 2 } as const;

/** An Operation whose failure says what its response has to say besides; nothing of it is taken away. */
export function withMessageInStatus(operation: Buffer): Edit {
  return rewriteMessage(new Walker(operation), (field, out) => {
    if (field.number !== RESPONSE || field.wireType !== WireType.LEN || !isPacked(field.enter(), TYPE))
      return "keep";
    return rewriteField(field, out, (part, any) => {
      if (part.number !== VALUE || part.wireType !== WireType.LEN) return "keep";
      const message = textIn(part.enter(), ResponseField.message);
      if (message === "") return "keep";
      return rewriteField(part, any, (status, response) => {
        if (status.number !== ResponseField.status || status.wireType !== WireType.LEN) return "keep";
        const said = textIn(status.enter(), StatusField.message);
        if (!isFailure(status.enter()) || said.endsWith(message)) return "keep";
        return rewriteField(
          status,
          response,
          ({ number }) => (number === StatusField.message ? "drop" : "keep"),
          (out) => out.text(StatusField.message, said === "" ? message : `${said}\n${message}`),
        );
      });
    });
  });
}

function isFailure(status: Walker): boolean {
  let code = 0;
  while (status.next())
    if (status.number === StatusField.code && status.wireType === WireType.VARINT) code = status.int32();
  return code !== 0;
}

function textIn(message: Walker, number: number): string {
  let text = "";
  while (message.next())
    if (message.number === number && message.wireType === WireType.LEN) text = message.text();
  return text;
}
