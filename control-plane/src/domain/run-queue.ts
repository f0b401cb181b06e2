/*
 * The run queue: which runs start next. Each run belongs to a team (`teamOfRun`). Within a team runs go by priority, then
 * age. Between teams slots are shared by weight, among those that have runs at all: a team that holds less than its share
 * goes before one that holds more. Teams below their share take turns by start-time fair queueing (Goyal, Vin, Cheng
 * 1996): every start costs a team 1 / weight of virtual time, and a team that comes back begins at the time of now, so
 * that nothing is saved up and nobody waits for ever. No slot is taken away: a share is reached as runs end.
 */

/** What `queue:` of workspace.yaml says. */
export interface QueueRules {
  /** Runs that hold a slot at once; undefined: as many as there are. */
  readonly maxRuns?: number;
  readonly teams: Readonly<Record<string, TeamRule>>;
  readonly tagLimits: readonly TagLimit[];
}

export interface TeamRule {
  /** Of the slots, compared with other teams'. */
  readonly weight: number;
  readonly maxRuns?: number;
}

/** At most `limit` runs at once with this tag; with `perValue`, of each of its values. */
export interface TagLimit {
  readonly key: string;
  /** Undefined: whatever the tag's value is. */
  readonly value?: string;
  readonly perValue: boolean;
  readonly limit: number;
}

/** Asked for, held, or given back since nothing of the run can go on. */
export type RunSlot = "wanted" | "held" | "released";

export const noQueueRules: QueueRules = { teams: {}, tagLimits: [] };

export function teamRule(rules: QueueRules, team: string): TeamRule {
  return Object.hasOwn(rules.teams, team) ? (rules.teams[team] as TeamRule) : { weight: 1 };
}

export interface QueuedRun {
  readonly id: string;
  readonly tags: Readonly<Record<string, string>>;
}

export interface TeamInQueue {
  readonly team: string;
  /** Runs that hold a slot now. */
  readonly held: number;
  /** The virtual time at which its last run started; undefined: none has. */
  readonly virtualStart?: number;
  /** Runs that ask for a slot, most urgent first; there may be more. */
  readonly waiting: readonly QueuedRun[];
  /** How many of them the asking daemon could take. */
  readonly room: number;
}

export interface QueueChoice {
  /** In the order in which they start. */
  readonly runs: readonly string[];
  /** Of the teams of which a run starts. */
  readonly virtualStarts: Readonly<Record<string, number>>;
}

/** The bucket of a limit that a run falls into; undefined: the limit does not concern it. */
export function tagBucket(limit: TagLimit, index: number, tags: QueuedRun["tags"]): string | undefined {
  const value = Object.hasOwn(tags, limit.key) ? tags[limit.key] : undefined;
  if (value === undefined || (limit.value !== undefined && limit.value !== value)) return undefined;
  return limit.perValue ? `${index}\n${value}` : String(index);
}

interface Candidate {
  readonly team: string;
  readonly weight: number;
  readonly waiting: QueuedRun[];
  held: number;
  room: number;
  /** Slots that are its own by weight; it may have more as long as nobody else asks. */
  share: number;
  virtualStart: number;
  started: boolean;
}

/**
 * Chooses at most `max` runs to start. `tagged` says how many runs hold a slot in each bucket (see `tagBucket`). A run
 * that a tag limit holds back lets those behind it pass.
 */
export function chooseRuns(
  rules: QueueRules,
  teams: readonly TeamInQueue[],
  tagged: ReadonlyMap<string, number>,
  max: number,
): QueueChoice {
  const now = Math.max(0, ...teams.map(({ virtualStart }) => virtualStart ?? 0));
  const candidates = withShares(
    rules,
    teams.map((team) => candidateOf(rules, team, now)),
  );
  const counts = new Map(tagged);
  let free = (rules.maxRuns ?? Infinity) - teams.reduce((sum, { held }) => sum + held, 0);
  const runs: string[] = [];
  while (runs.length < max && free > 0) {
    const next = candidates.filter((team) => mayStart(rules, team, counts)).sort(inTurn)[0];
    const run = next?.waiting.shift();
    if (next === undefined || run === undefined) break;
    for (const bucket of bucketsOf(rules, run)) counts.set(bucket, (counts.get(bucket) ?? 0) + 1);
    runs.push(run.id);
    free--;
    next.held++;
    next.room--;
    next.virtualStart += next.started ? 1 / next.weight : 0;
    next.started = true;
  }
  const begun = candidates.filter(({ started }) => started);
  return { runs, virtualStarts: Object.fromEntries(begun.map((team) => [team.team, team.virtualStart])) };
}

function candidateOf(rules: QueueRules, given: TeamInQueue, now: number): Candidate {
  const { team, held, virtualStart, waiting } = given;
  const { weight, maxRuns = Infinity } = teamRule(rules, team);
  return {
    team,
    weight,
    waiting: [...waiting],
    held,
    room: Math.min(given.room, maxRuns - held),
    share: Infinity,
    virtualStart: Math.max(now, virtualStart === undefined ? 0 : virtualStart + 1 / weight),
    started: false,
  };
}

/** The slots that are a team's own by weight, of those that `teams` share, itself among them; Infinity without a limit. */
export function shareOf(rules: QueueRules, teams: readonly string[], team: string): number {
  const total = teams.reduce((sum, other) => sum + teamRule(rules, other).weight, 0);
  return ((rules.maxRuns ?? Infinity) * teamRule(rules, team).weight) / total;
}

function withShares(rules: QueueRules, teams: readonly Candidate[]): readonly Candidate[] {
  const sharing = teams.filter(({ held, waiting }) => held > 0 || waiting.length > 0);
  const names = sharing.map(({ team }) => team);
  for (const team of sharing) team.share = shareOf(rules, names, team.team);
  return sharing;
}

/** Takes runs from the head of the team's queue that a tag limit holds back; true if another is behind them. */
function mayStart(rules: QueueRules, team: Candidate, counts: ReadonlyMap<string, number>): boolean {
  if (team.room <= 0) return false;
  const isFull = (run: QueuedRun) =>
    rules.tagLimits.some((limit, index) => {
      const bucket = tagBucket(limit, index, run.tags);
      return bucket !== undefined && (counts.get(bucket) ?? 0) >= limit.limit;
    });
  while (team.waiting[0] !== undefined && isFull(team.waiting[0])) team.waiting.shift();
  return team.waiting.length > 0;
}

function bucketsOf(rules: QueueRules, run: QueuedRun): string[] {
  return rules.tagLimits.flatMap((limit, index) => tagBucket(limit, index, run.tags) ?? []);
}

function inTurn(a: Candidate, b: Candidate): number {
  const turnOf = (team: Candidate) => team.virtualStart + (team.started ? 1 / team.weight : 0);
  const [overA, overB] = [a.held >= a.share, b.held >= b.share];
  if (overA !== overB) return overA ? 1 : -1;
  const load = overA ? a.held / a.weight - b.held / b.weight : 0;
  return load || turnOf(a) - turnOf(b) || (a.team < b.team ? -1 : 1);
}

/** The team whose queue a run stands in: the one that owns most of its steps, and of several the first. */
export function teamOfRun(steps: readonly { readonly team: string }[]): string {
  const counts = new Map<string, number>();
  for (const { team } of steps) counts.set(team, (counts.get(team) ?? 0) + 1);
  let best = "";
  for (const [team, count] of counts) if (count > (counts.get(best) ?? 0)) best = team;
  return best;
}
