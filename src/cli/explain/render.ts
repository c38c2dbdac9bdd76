/** An explanation as text for a terminal. */
import type { Evidence } from "../../peers/dialect.ts";
import { COST_TEXTS, type CostClass } from "../../plan/cost.ts";
import type { Explanation, Method } from "../../plan/explain.ts";
import { shortName } from "../../plan/explain-outcome.ts";
import { happens, type Row } from "../../plan/explain-rows.ts";
import { windowText } from "../../plan/explain-versions.ts";
import { columns, type Paper, type Style, styled, wrapped } from "../paper.ts";

/** Where what is known of the two is from, and whether also to show what makes no difference. */
export interface Surroundings {
  readonly clientFrom: string;
  readonly serverFrom: string;
  readonly all: boolean;
}

/** The whole text, ending with a line feed. */
export function renderExplanation(explanation: Explanation, around: Surroundings, paper: Paper): string {
  const { rows, methods, outcome } = explanation;
  const shown = around.all ? rows : rows.filter(happens);
  const isQuiet = ({ verdict }: Row) => verdict === "pass" || verdict === "native";
  const parts = [
    heads(explanation, around, paper),
    versions(explanation, paper),
    table(
      "What is translated or refused",
      shown.filter((row) => !isQuiet(row)),
      paper,
    ),
    table(
      "What passes although it differs",
      shown.filter(({ verdict }) => verdict === "pass"),
      paper,
    ),
    table(
      "What is the same",
      shown.filter(({ verdict }) => verdict === "native"),
      paper,
    ),
    methodList(around.all ? methods : methods.filter(({ need }) => need !== "not called"), paper),
    costs(shown, paper),
    supposed(shown, paper),
    `${wrapped("", outcome.text, paper)}${outcome.advice.map((one) => wrapped("  - ", one, paper)).join("")}`,
  ];
  return parts.filter((part) => part !== "").join("\n");
}

function heads({ client, server }: Explanation, around: Surroundings, paper: Paper): string {
  const line = (label: string, name: string, from: string, level: string | null) => {
    const known = level === null ? "no level known" : `level ${level}`;
    return wrapped(label, `${name} (${from === known ? from : `${from}; ${known}`})`, paper);
  };
  return (
    line("Client  ", client.name, around.clientFrom, client.level) +
    line("Server  ", server.name, around.serverFrom, server.level)
  );
}

function versions({ versions: { stated, told, changed, why, clients } }: Explanation, paper: Paper): string {
  const own = windowText(stated);
  const window = changed ? `told ${windowText(told)}` : "told the same";
  const reactions = clients.map(({ line, rule, verdict, negotiated }) => {
    const said = { "goes-on": "goes on", warns: "goes on with a warning", refuses: "stops" }[verdict];
    return wrapped(
      "  ",
      `${line} ${rule}: ${said}${negotiated === null ? "" : ` with ${negotiated}`}`,
      paper,
    );
  });
  return (
    `${styled("API versions", "bold", paper)}\n` +
    wrapped("  ", `the server states ${own}; the client is ${window}: ${why}`, paper) +
    reactions.join("")
  );
}

const VERDICTS: Readonly<Record<Row["verdict"], readonly [text: string, style: Style]>> = {
  native: ["the same", "dim"],
  translate: ["translated", "green"],
  pass: ["passes", "dim"],
  reject: ["refused", "red"],
  off: ["off", "yellow"],
};

const USES: Readonly<Record<Row["use"], string>> = {
  always: "",
  partly: " if used",
  optional: " if used",
  "if-announced": " if used",
  never: ", not used",
};

const USE_NOTES: Readonly<Record<Row["use"], string>> = {
  always: "",
  partly: "the client has another form, which gets through",
  optional: "the client can do without",
  "if-announced": "it is not announced, and clients go by that",
  never: "the client does not use it, or never alone",
};

/** A line for each row, and what there is to say under it. */
function table(title: string, rows: readonly Row[], paper: Paper): string {
  if (rows.length === 0) return "";
  const cells = rows.map(({ feature, direction, from, to, verdict, use, cost }) => [
    `  ${feature}`,
    direction === "toServer" ? from : to,
    direction === "toServer" ? "→" : "←",
    direction === "toServer" ? to : from,
    `${VERDICTS[verdict][0]}${verdict === "reject" ? USES[use] : ""}`,
    cost,
  ]);
  const [head, ...lines] = columns([["  feature", "client", "", "server", "what happens", "cost"], ...cells]);
  const text = lines.map((line, i) => {
    const row = rows[i]!;
    return `${styled(line, VERDICTS[row.verdict][1], paper)}\n${notes(row, paper)}`;
  });
  return `${styled(title, "bold", paper)}\n${styled(head!, "dim", paper)}\n${text.join("")}`;
}

/** Native rows speak for themselves; of others it is said why, and of what is translated or refused, how that is known. */
function notes({ verdict, use, why, refused, evidence, drift, settledBy }: Row, paper: Paper): string {
  if (verdict === "native") return "";
  const note = (label: string, text: string) => wrapped(`      ${label}`, text, paper);
  const items = drift.length === 0 ? "" : ` (${drift.join(", ")})`;
  const known = [
    ...(verdict === "pass"
      ? []
      : [note("client: ", evidenceText(evidence.client)), note("server: ", evidenceText(evidence.server))]),
    ...(settledBy.length === 0 ? [] : [note("a profile would tell: ", settledBy.join(", "))]),
  ];
  const what = refused !== null && verdict === "reject" ? `${refused.what.join("; ")}: ` : "";
  const usage = USE_NOTES[use] === "" || verdict !== "reject" ? "" : `; ${USE_NOTES[use]}`;
  return note("", `${what}${why}${usage}${items}`) + known.join("");
}

/** A note that names a profile or a level says itself what kind of evidence it is. */
function evidenceText({ source, note }: Evidence): string {
  return source === "advertised" || source === "probed" || source === "assumed" ? `${source}: ${note}` : note;
}

function methodList(methods: readonly Method[], paper: Paper): string {
  if (methods.length === 0) return "";
  const lines = methods.map(({ path, lane, need, why, features }) => {
    const needed = need === null || need === "not called" ? "" : ` (${need})`;
    const said = lane === "local" ? `the bridge answers, for ${features.join(", ")}` : `refused: ${why}`;
    return wrapped("  ", `${shortName(path)}${needed}: ${said}`, paper);
  });
  return `${styled("Methods the bridge refuses or answers", "bold", paper)}\n${lines.join("")}`;
}

function costs(rows: readonly Row[], paper: Paper): string {
  const used = (Object.keys(COST_TEXTS) as CostClass[]).filter((cost) =>
    rows.some((row) => row.cost === cost),
  );
  const legend = used.map((cost) => `${cost}: ${COST_TEXTS[cost]}`).join("; ");
  return used.length < 2 ? "" : wrapped("Cost  ", legend, paper);
}

function supposed(rows: readonly Row[], paper: Paper): string {
  const count = rows.filter(
    ({ verdict, evidence }) => verdict !== "native" && evidence.server.source === "assumed",
  ).length;
  if (count === 0) return "";
  const text = `${count} of these rest on what is assumed of any server. If you know which one it is, name its profile: --server NAME (docs/profiles.md).`;
  return wrapped("", text, paper);
}
