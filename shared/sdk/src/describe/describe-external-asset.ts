import type { AssetDefinition } from "@headgate/proto";
import type { AnyExternalAsset } from "../external-asset.ts";
import { checkKey, describeRequiredChecks, describeSpec, specFields } from "./describe-asset.ts";
import { describeFormerKey } from "./describe-former-key.ts";
import { spaceOf } from "./describe-partitions.ts";
import type { FieldRule } from "./fields.ts";
import { checkFields, filledText, flag, record } from "./fields.ts";
import { DefinitionProblem } from "./problem.ts";

const externalFields: Readonly<Record<string, FieldRule>> = {
  ...specFields,
  unversioned: flag,
  inPlace: flag,
  requiredChecks: { is: Array.isArray, words: "a list of { team, name }" },
  formerly: filledText,
  checks: record,
};

/** Nothing is computed, so there is no code whose change would make versions stale. */
const codeVersion = "external";

/**
 * An external asset as it goes into the manifest.
 *
 * @throws DefinitionProblem
 */
export function describeExternalAsset(asset: AnyExternalAsset, team: string): AssetDefinition {
  checkKey(asset.key, team);
  const what = `external asset ${asset.key}`;
  checkFields(what, asset, externalFields);
  const unversioned = asset.unversioned ?? false;
  const hasValue = asset.value !== undefined;
  if (unversioned && hasValue) {
    throw new DefinitionProblem(
      "definition.unversioned_value",
      `${what} is unversioned and declares a value: what has no versions has no value to read.`,
      "Leave `value` out and let readers fetch it themselves, or report versions of it.",
    );
  }
  spaceOf(what, asset.partitions);
  return {
    ...describeSpec(asset, asset.codeVersion ?? codeVersion),
    dependencies: [],
    inPlace: asset.inPlace ?? unversioned,
    retry: undefined,
    timeoutMs: 0,
    attemptLeaseMs: 0,
    gateTimeoutMs: 0,
    pool: "",
    automation: undefined,
    requiredChecks: describeRequiredChecks(what, asset),
    configSchema: "",
    formerly: describeFormerKey(what, asset, team),
    multi: undefined,
    batch: undefined,
    external: { unversioned, hasValue },
    publishes: false,
  };
}
