import type { PartitionMapping, PartitionsDefinition } from "@headgate/model";
import { canonicalJson } from "@headgate/model";
import { conditionLine } from "./conditions/condition-line.ts";
import type { AssetDefinition, Dependency } from "./definitions.ts";

/** One thing that is another in an asset's newer definition. */
export interface AssetChange {
  /** The part of the definition: "code", "dependency", "partitions", "export", or the name of its field. */
  readonly aspect: string;
  readonly text: string;
  /** The asset waits for less than it did: its edge asks less of what it reads. */
  readonly weakens: boolean;
}

/** Told elsewhere, or of no consequence: lines move, and words are words. */
const untold: ReadonlySet<string> = new Set(["kind", "key", "source", "description", "requiredChecks", "exportTo"]);

/** What changed between two definitions of one asset; nothing if they say the same. */
export function assetChanges(before: AssetDefinition, after: AssetDefinition): AssetChange[] {
  const changes: AssetChange[] = [];
  const say = (aspect: string, text: string): void => void changes.push({ aspect, text, weakens: false });
  if (before.key !== after.key) say("key", `renamed from ${before.key}`);
  if (before.codeVersion !== after.codeVersion) say("code", codeText(before.codeVersion, after.codeVersion));
  changes.push(...dependencyChanges(before.dependencies, after.dependencies));
  if (differ(before.partitions, after.partitions)) {
    say("partitions", `partitions: ${partitionsText(before.partitions)} → ${partitionsText(after.partitions)}`);
  }
  if (audienceText(before) !== audienceText(after)) {
    say("export", `exported to ${audienceText(before)} → to ${audienceText(after)}`);
  }
  if (differ(before.automation, after.automation)) {
    say("automation", `automation: ${automationText(before)} → ${automationText(after)}`);
  }
  const told = new Set([...untold, "codeVersion", "dependencies", "partitions", "export", "formerly", "automation"]);
  const fields = new Set([...Object.keys(before), ...Object.keys(after)].filter((field) => !told.has(field)));
  for (const field of [...fields].sort()) {
    const [was, is] = [before, after].map((definition) => (definition as unknown as Record<string, unknown>)[field]);
    if (differ(was, is)) say(field, fieldText(field, was, is));
  }
  return changes;
}

/** Who may read an asset, in words that follow "exported to". */
export function audienceText({ export: toAll, exportTo }: Pick<AssetDefinition, "export" | "exportTo">): string {
  if (toAll) return "every team";
  return exportTo.length === 0 ? "no other team" : [...exportTo].sort().join(", ");
}

function automationText({ automation }: AssetDefinition): string {
  return automation === undefined ? "none" : conditionLine(automation);
}

function differ(a: unknown, b: unknown): boolean {
  return (a === undefined ? "" : canonicalJson(a)) !== (b === undefined ? "" : canonicalJson(b));
}

/** Versions that are made of sources are digests, which tell a reader nothing. */
function codeText(before: string, after: string): string {
  const derived = (version: string): boolean => version.startsWith("source:");
  return derived(before) && derived(after) ? "code" : `code version ${before} → ${after}`;
}

const scalarLengthMax = 60;

function fieldText(field: string, before: unknown, after: unknown): string {
  const texts = [before, after].map((value) => (value === undefined ? "none" : canonicalJson(value)));
  return texts.some((text) => text.length > scalarLengthMax) ? field : `${field}: ${texts.join(" → ")}`;
}

function partitionsText(partitions: PartitionsDefinition | undefined): string {
  switch (partitions?.kind) {
    case undefined:
      return "none";
    case "static":
      return partitions.keys.length > 5 ? `${partitions.keys.length} static keys` : partitions.keys.join(", ");
    case "timeWindow": {
      const { cron, timezone, start, end } = partitions;
      return `${cron} in ${timezone} from ${start}${end === undefined ? "" : ` to ${end}`}`;
    }
    case "dynamic":
      return `the dynamic set ${partitions.name}`;
    case "multi":
      return partitions.dimensions
        .map(({ name, definition }) => `${name} (${partitionsText(definition)})`)
        .join(" by ");
  }
}

function dependencyChanges(before: readonly Dependency[], after: readonly Dependency[]): AssetChange[] {
  const change = (text: string, weakens = false): AssetChange => ({ aspect: "dependency", text, weakens });
  const was = new Map(before.map((dependency) => [`${dependency.name} ${dependency.asset}`, dependency]));
  const is = new Map(after.map((dependency) => [`${dependency.name} ${dependency.asset}`, dependency]));
  const changes: AssetChange[] = [];
  for (const [key, { asset, name, mode }] of is) {
    if (!was.has(key)) changes.push(change(`reads ${asset} as "${name}" (${modes[mode].text})`));
  }
  for (const [key, { asset, name }] of was) {
    if (!is.has(key)) changes.push(change(`no longer reads ${asset} as "${name}"`));
  }
  for (const [key, newer] of is) {
    const older = was.get(key);
    if (older !== undefined) changes.push(...edgeChanges(older, newer, change));
  }
  return changes;
}

/** How much an edge asks of what it reads: the more, the higher. */
const modes: Record<Dependency["mode"], { readonly rank: number; readonly text: string }> = {
  strict: { rank: 2, text: "strict" },
  lastValidated: { rank: 1, text: "last validated" },
  orderOnly: { rank: 0, text: "order only" },
};

function edgeChanges(
  before: Dependency,
  after: Dependency,
  change: (text: string, weakens?: boolean) => AssetChange,
): AssetChange[] {
  const changes: AssetChange[] = [];
  const { asset } = after;
  if (before.mode !== after.mode) {
    const [older, newer] = [modes[before.mode], modes[after.mode]];
    changes.push(change(`edge to ${asset}: ${older.text} → ${newer.text}`, newer.rank < older.rank));
  }
  if (differ(before.mapping, after.mapping)) {
    changes.push(change(`mapping to ${asset}: ${mappingText(before.mapping)} → ${mappingText(after.mapping)}`));
  }
  const [was, is] = [atLeastOf(before), atLeastOf(after)];
  if (before.mode === after.mode && was.text !== is.text) {
    changes.push(change(`requires of ${asset}: ${was.text} → ${is.text}`, is.count < was.count));
  }
  return changes;
}

function mappingText(mapping: PartitionMapping | undefined): string {
  if (mapping === undefined) return "default";
  return mapping.kind === "window" ? `window ${mapping.startOffset} to ${mapping.endOffset}` : mapping.kind;
}

function atLeastOf({ atLeast, mode }: Dependency): { readonly count: number; readonly text: string } {
  if (atLeast === undefined)
    return mode === "lastValidated" ? { count: 1, text: "default" } : { count: Infinity, text: "every" };
  return atLeast === 0 ? { count: Infinity, text: "every" } : { count: atLeast, text: `at least ${atLeast}` };
}
