import type { CheckCompleted } from "@headgate/proto";
import type { CheckResult } from "../asset-check.ts";
import type { AnyAsset } from "../asset.ts";
import { checkResult, declaredCheck, notReported } from "./check-result.ts";
import { stepError, type Cleaning } from "./step-error.ts";
import { errored, verdict } from "./verdict.ts";

/** The verdicts that compute reports of the version that it makes: one for each check that the asset declares. */
export class ComputedVerdicts {
  readonly #asset: Pick<AnyAsset, "key" | "checks">;
  readonly #cleaning: Cleaning;
  readonly #reported = new Map<string, CheckCompleted>();

  constructor(asset: Pick<AnyAsset, "key" | "checks">, cleaning: Cleaning) {
    this.#asset = asset;
    this.#cleaning = cleaning;
  }

  /**
   * `context.check`: of several verdicts of one check the last counts.
   *
   * @throws StepFailure `step.check_undeclared`, `check.result_invalid`, `step.metadata_invalid`
   */
  readonly check = (name: string, given: CheckResult | boolean): void => {
    const check = declaredCheck(this.#asset, name);
    const result = checkResult(given, `The verdict of check "${name}" of ${this.#asset.key} is`);
    this.#reported.set(name, verdict(this.#cleaning.redaction, { ...check, name }, result));
  };

  /** In the order of the declarations; one that compute did not report has errored. */
  completed(): CheckCompleted[] {
    return Object.entries(this.#asset.checks ?? {}).map(
      ([name, { version = 1 }]) => this.#reported.get(name) ?? this.#forgotten(name, version),
    );
  }

  #forgotten(name: string, version: number): CheckCompleted {
    const failure = notReported(this.#asset.key, name);
    return errored({ name, version }, stepError(failure, failure.code, this.#cleaning));
  }
}
