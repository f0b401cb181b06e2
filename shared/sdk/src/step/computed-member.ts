import type { CheckCompleted, Materialize, StepCommand } from "@headgate/proto";
import type { AnyAsset } from "../asset.ts";
import type { SaidOfVersion } from "./materialize.ts";

/** One step of a computation, with the asset that it makes a version of. */
export interface MemberStep {
  readonly command: StepCommand;
  readonly work: Materialize;
  readonly asset: AnyAsset;
}

/** What compute returned for one of them and said of it; or why it has nothing. */
export interface ComputedMember {
  readonly member: MemberStep;
  readonly returned: unknown;
  readonly said: SaidOfVersion;
  /** Of the checks that compute reports. */
  readonly verdicts: readonly CheckCompleted[];
  readonly failure: { readonly error: unknown } | undefined;
}

/** A call that makes several versions. */
export interface SharedCall {
  /** Its versions count together or not at all. */
  readonly isWhole: boolean;
  compute(signal: AbortSignal): Promise<readonly ComputedMember[]>;
}
