import { LineCounter, type Node, parseDocument, type YAMLError } from "yaml";
import { keyText, type MapReader, NodeReader, type Reading } from "./node-reader.ts";
import { peekLocationName, readEntry } from "./read-entry.ts";
import { readQueue } from "./read-queue.ts";
import { name, url } from "./value-rules.ts";
import type { Workspace, WorkspaceEntry, WorkspaceProblem, WorkspaceTeam } from "./workspace.ts";

type Environment = Readonly<Record<string, string | undefined>>;

const sizeMax = 1_000_000;
/**
 * Reads the text of a workspace.yaml. Nothing is thrown: what is wrong is a problem with its place and remedy, a wrong
 * entry or team is left out, and the others are read. `file` (absolute) is what relative paths are relative to.
 */
export function parseWorkspace(text: string, file: string, env: Environment): Workspace {
  const lines = new LineCounter();
  // A text beyond all measure is not even looked at.
  const document = parseDocument(text.length > sizeMax ? "" : text, {
    lineCounter: lines,
    prettyErrors: false,
    uniqueKeys: true,
  });
  const reading: Reading = { file, document, lines, env, problems: [] };
  const root = new NodeReader(reading);
  if (text.length > sizeMax) {
    root.problem(undefined, "workspace.invalid_yaml", "the file is larger than a megabyte", "is this the right file?");
    return { file, entries: [], teams: {}, queue: undefined, problems: reading.problems, readable: false };
  }
  // A key given twice spoils its own entry; any other mistake in the syntax leaves unclear where entries end.
  const broken = document.errors.filter(({ code }) => code !== "DUPLICATE_KEY");
  if (broken.length > 0) {
    const problems = broken.map((error) => syntaxProblem(error, text, reading));
    return { file, entries: [], teams: {}, queue: undefined, problems, readable: false };
  }
  const top = root.map(document.contents ?? undefined, "workspace.yaml", ["teams", "queue", "load_from"]);
  const teams = top === undefined ? {} : readTeams(top.node("teams"), reading);
  const queue = top === undefined ? undefined : readQueue(top.node("queue"), reading);
  const entries = top === undefined ? [] : readEntries(root, top, reading);
  return { file, entries, teams, queue, problems: inOrder(reading.problems), readable: true };
}

function syntaxProblem(error: YAMLError, text: string, { file, lines }: Reading): WorkspaceProblem {
  const { line, col: column } = lines.linePos(error.pos[0]);
  const unquoted = /\$\{/.test(text.split("\n")[line - 1] ?? "");
  const hint = unquoted
    ? `quote a variable inside braces: "\${NAME}"`
    : "mend the YAML; nothing of the file is read until then";
  const message = error.message.split("\n")[0] ?? "";
  return { code: "workspace.invalid_yaml", message, hint, file, line, column };
}

/** A key that occurs twice within a node. */
function reportDuplicateKeys(reader: NodeReader, node: Node, { document }: Reading): void {
  const [start, , end] = node.range ?? [0, 0, 0];
  for (const error of document.errors) {
    if (error.code !== "DUPLICATE_KEY" || error.pos[0] < start || error.pos[0] >= end) continue;
    const at = { range: [error.pos[0], error.pos[1], error.pos[1]] } as unknown as Node;
    reader.problem(at, "workspace.wrong_value", "a key is given twice", "keep one of them");
  }
}

function readEntries(root: NodeReader, top: MapReader, reading: Reading): WorkspaceEntry[] {
  const node = top.node("load_from");
  if (node === undefined) {
    top.required("load_from", undefined);
    return [];
  }
  const entries = new Map<string, WorkspaceEntry>();
  for (const item of root.list(node, "load_from") ?? []) {
    const reader = new NodeReader(reading, peekLocationName(item, reading));
    reportDuplicateKeys(reader, item, reading);
    const entry = readEntry(reader, item, reading);
    if (entry === undefined || reader.failed) continue;
    const first = entries.get(entry.locationName);
    if (first === undefined) {
      entries.set(entry.locationName, entry);
    } else {
      const message = `the location ${entry.locationName} is already loaded by line ${String(first.line)}`;
      // Not a problem about the location, which the first entry gives: one about this entry.
      new NodeReader(reading).problem(item, "workspace.duplicate_location", message, "give it another location_name");
    }
  }
  return [...entries.values()];
}

function readTeams(node: Node | undefined, reading: Reading): Record<string, WorkspaceTeam> {
  const teams: Record<string, WorkspaceTeam> = {};
  if (node === undefined) return teams;
  for (const pair of new NodeReader(reading).anyMap(node, "teams")?.items ?? []) {
    const reader = new NodeReader(reading);
    const team = keyText(pair) ?? "";
    if (!name.pattern.test(team)) {
      reader.problem(
        pair.key as Node,
        "workspace.wrong_value",
        `teams: "${team}" is no name of a team`,
        `it must be ${name.expected}`,
      );
      continue;
    }
    const body = reader.resolve(pair.value);
    if (body !== undefined) reportDuplicateKeys(reader, body, reading);
    const map = reader.map(body ?? (pair.key as Node), `team ${team}`, ["contacts", "oncall_url", "runbook"]);
    if (map === undefined) continue;
    const list = map.node("contacts");
    const contacts = list === undefined ? [] : (reader.list(list, `team ${team}: contacts`) ?? []);
    const oncallUrl = map.text("oncall_url", url);
    const runbook = map.text("runbook", url);
    const read: WorkspaceTeam = {
      contacts: contacts.flatMap((contact) => reader.text(contact, `team ${team}: a contact`) ?? []),
      ...(oncallUrl === undefined ? {} : { oncallUrl }),
      ...(runbook === undefined ? {} : { runbook }),
    };
    if (!reader.failed) teams[team] = read;
  }
  return teams;
}

function inOrder(problems: readonly WorkspaceProblem[]): WorkspaceProblem[] {
  return [...problems].sort((a, b) => a.line - b.line || a.column - b.column);
}
