import type { StepCommand } from "../../domain/attempt-report.ts";
import type { Run, RunStep } from "../../domain/run-state.ts";
import type { InputRow } from "../../storage/schema.ts";
import type { Computation } from "./computation.ts";

/** An attempt in flight, as its driver knows it. */
export interface Attempt {
  readonly id: string;
  readonly run: Run;
  readonly step: RunStep;
  readonly number: number;
  readonly location: string;
  /** Only this instance's word counts. */
  readonly instanceId: string;
  readonly versionId: string;
  readonly inputs: readonly InputRow[];
  /** The attempts that the same call computes; undefined: it is computed alone. */
  readonly computation: Computation<Attempt> | undefined;
  /** Of whose slots it has one. */
  readonly pool: string | undefined;
  /** Undefined after a takeover, until it has to be sent again. */
  command: StepCommand | undefined;
  /** Milliseconds without contact after which it is given up. */
  readonly leaseMs: number;
  /** Its row is committed. Before that nobody may hear of it: persist, then act. */
  committed: boolean;
  /** The newest position of its stream that has been taken in; acknowledged once that is committed. */
  sequence: number;
  started: boolean;
  /** Its version is recorded, or about to be. */
  computed: boolean;
  /** A gate that it shut is recorded: once, however many checks follow. */
  gateClosed: boolean;
  /** Bytes of output stored, and passed over since the bound was reached. */
  readonly logs: { storedBytes: number; droppedBytes: number };
  /** When its command was first sent from here, on the monotonic clock. */
  readonly sinceMs: number;
  /** Checks whose results came ahead of its end. */
  readonly checked: Set<string>;
  /** When it was seen to be canceled, on the monotonic clock. */
  canceledAtMs: number | undefined;
  /** When contact was lost, on the monotonic clock. */
  lostAtMs: number | undefined;
}

type Begun = Omit<Attempt, "gateClosed" | "logs" | "checked" | "canceledAtMs">;

/** An attempt of which nothing has been heard since this driver has it. */
export function newAttempt(begun: Begun): Attempt {
  return {
    ...begun,
    gateClosed: false,
    logs: { storedBytes: 0, droppedBytes: 0 },
    checked: new Set(),
    canceledAtMs: undefined,
  };
}

/** The attempts in flight, by what they are looked up by. */
export class Attempts {
  readonly #byId = new Map<string, Attempt>();
  readonly #byLocation = new Map<string, Set<Attempt>>();
  /** Location and instance to their number. */
  readonly #byStep = new Map<RunStep, Attempt>();
  readonly #byPlace = new Map<string, Attempt>();

  add(attempt: Attempt): void {
    this.#byId.set(attempt.id, attempt);
    this.#byStep.set(attempt.step, attempt);
    this.#byPlace.set(place(attempt.step, attempt.versionId), attempt);
    const there = this.#byLocation.get(attempt.location) ?? new Set();
    this.#byLocation.set(attempt.location, there.add(attempt));
    attempt.computation?.attempts.add(attempt);
  }

  remove(attempt: Attempt): void {
    this.#byId.delete(attempt.id);
    this.#byStep.delete(attempt.step);
    this.#byPlace.delete(place(attempt.step, attempt.versionId));
    this.#byLocation.get(attempt.location)?.delete(attempt);
    attempt.computation?.attempts.delete(attempt);
  }

  get(id: string): Attempt | undefined {
    return this.#byId.get(id);
  }

  ofStep(step: RunStep): Attempt | undefined {
    return this.#byStep.get(step);
  }

  /** The one in flight that keeps another from starting: of that asset partition, or that version's checks. */
  inTheWayOf(step: RunStep, versionId: string): Attempt | undefined {
    return this.#byPlace.get(place(step, versionId));
  }

  at(location: string): ReadonlySet<Attempt> {
    return this.#byLocation.get(location) ?? new Set();
  }

  all(): Iterable<Attempt> {
    return this.#byId.values();
  }

  clear(): void {
    this.#byId.clear();
    this.#byStep.clear();
    this.#byPlace.clear();
    this.#byLocation.clear();
  }
}

function place({ spec }: RunStep, versionId: string): string {
  return spec.kind === "materialize" ? `${spec.asset}\n${spec.partition}` : `${versionId}\n${spec.location}`;
}
