import { type PartitionSpace, type RangeSet, formatPartitions, rangeSet } from "@headgate/model";
import type { Condition } from "./condition.ts";
import { conditionText } from "./condition-text.ts";
import type { Truth } from "./evaluate-condition.ts";

/** A part of a condition with the partitions for which it was true. */
export interface Explanation {
  readonly text: string;
  /** The kind of the part, see condition.ts. */
  readonly kind: string;
  readonly count: number;
  /** As `formatPartitions` writes them; the first of them where there are many ranges, and then with an ellipsis. */
  readonly partitions: string;
  readonly of: readonly Explanation[];
}

/** A part of a condition, and whether it is true for one partition. */
export interface PartitionExplanation {
  readonly text: string;
  readonly isTrue: boolean;
  readonly of: readonly PartitionExplanation[];
}

/** The tree of an evaluation as one partition sees it. */
export function explainPartition({ condition, set, of }: Truth, ordinal: number): PartitionExplanation {
  return {
    text: conditionText(condition),
    isTrue: rangeSet.has(set, ordinal),
    of: of.map((part) => explainPartition(part, ordinal)),
  };
}

/** Ranges that are named at most. */
const rangesMax = 50;

/** The tree of an evaluation, with its truth sets as text. */
export function explain(space: PartitionSpace, { condition, set, of }: Truth): Explanation {
  return {
    text: conditionText(condition),
    kind: condition.kind,
    count: rangeSet.size(set),
    partitions: partitionsText(space, set),
    of: of.map((part) => explain(space, part)),
  };
}

/** The set as text, shortened where it has many ranges. */
export function partitionsText(space: PartitionSpace, set: RangeSet): string {
  const text = (shown: RangeSet): string => formatPartitions(space, shown);
  if (space.definition?.kind === "dynamic") {
    const [first = 0] = set[0] ?? [];
    const few =
      rangeSet.size(set) <= rangesMax ? set : rangeSet.intersection(set, rangeSet.range(first, first + rangesMax));
    return few === set ? text(set) : `${text(few)},…`;
  }
  return set.length <= rangesMax ? text(set) : `${text(set.slice(0, rangesMax))},…`;
}

/** Whether two evaluations have the same to say. */
export function explanationIdentity(explanation: Explanation): string {
  return JSON.stringify(explanation);
}

/**
 * Why a condition does not request a partition, as sentences without full stops: what each part that keeps it from being
 * true says. Empty if it is true for the partition.
 */
export function whyNotRequested(truth: Truth, ordinal: number): readonly string[] {
  const sentences = [...new Set(sentencesOf(truth, ordinal))];
  // Beside anything else it says nothing: what is requested, or has nothing new to read, was requested like this before.
  return sentences.length === 1 ? sentences : sentences.filter((sentence) => sentence !== requestedBefore);
}

const requestedBefore = "it was requested before with what it would read now, and nothing has changed since";

function sentencesOf(truth: Truth, ordinal: number): readonly string[] {
  if (rangeSet.has(truth.set, ordinal)) return [];
  const { condition, of } = truth;
  if (condition.kind === "not") {
    return [notText(condition.of.kind, of[0] === undefined ? "" : conditionText(of[0].condition))];
  }
  if (condition.kind === "or") return [of.flatMap((part) => sentencesOf(part, ordinal)).join(", and ")];
  if (joined.has(condition.kind)) return of.flatMap((part) => sentencesOf(part, ordinal));
  return [untrueText(condition.kind, conditionText(condition))];
}

/** Not true because of its parts. */
const joined: ReadonlySet<Condition["kind"]> = new Set<Condition["kind"]>([
  "and",
  "onMissing",
  "eager",
  "onCron",
  "filtered",
]);

/** What is true and should not be. */
function notText(kind: string, text: string): string {
  switch (kind) {
    case "inProgress":
      return "a run is making it";
    case "anyDeps":
      return text.replace(/^any dependency/, "a dependency");
    default:
      return `it is so: ${text}`;
  }
}

/** What is not true and should be. */
function untrueText(kind: string, text: string): string {
  switch (kind) {
    case "missing":
      return "it is not missing";
    case "gateOpen":
      return "its gate is closed";
    case "notRequestedYet":
      return requestedBefore;
    case "anyDeps":
      return text.replace(/^any dependency/, "no dependency");
    case "allDeps":
      return text.replace(/^every dependency/, "not every dependency");
    case "inLatestTimeWindow":
      return `it is not ${text}`;
    default:
      return `it is not so: ${text}`;
  }
}
