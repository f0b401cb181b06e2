import type { AssetKey } from "@headgate/model";
import type { CheckReporter } from "./definitions.ts";

interface About {
  readonly asset: AssetKey;
  /** '' where the asset is not partitioned. */
  readonly partition: string;
  /** The asset is external: its versions are reported, not materialized. */
  readonly external?: true;
}

interface AboutCheck extends About {
  readonly version: string;
  /** The run that made the version; absent: it was reported. */
  readonly run?: string;
  /** The check's owner. */
  readonly team: string;
  readonly check: string;
  /** Who reaches the verdict, where the check cannot be run. */
  readonly reportedBy?: CheckReporter;
}

/** Why a gate is closed: data, naming asset, partition, version, check, result and run. Words are made in `reason-text`. */
export type Reason =
  | (About & { readonly kind: "neverMaterialized" })
  | (AboutCheck & { readonly kind: "pending" })
  | (AboutCheck & { readonly kind: "checkNotRun" })
  | (AboutCheck & {
      readonly kind: "checkFailed";
      readonly result: string;
      readonly description: string;
      readonly metadata: readonly { readonly name: string; readonly kind: string; readonly value: unknown }[];
    })
  | (AboutCheck & { readonly kind: "checkErrored"; readonly result: string; readonly description: string })
  | (About & { readonly kind: "noValidatedVersion"; readonly open: number; readonly needed: number })
  | (About & { readonly kind: "locationUnreachable"; readonly location: string })
  | (About & { readonly kind: "notExported"; readonly reader: AssetKey });

/** Identifies what a reason says, so that one that is heard by several ways is told once. */
export function reasonIdentity(reason: Reason): string {
  const check = "check" in reason ? [reason.team, reason.check, reason.version] : [];
  return JSON.stringify([reason.kind, reason.asset, reason.partition, ...check]);
}

/** Each reason once, in the order in which they come first. */
export function distinctReasons(reasons: readonly Reason[]): readonly Reason[] {
  if (reasons.length < 2) return reasons;
  return [...new Map(reasons.map((reason) => [reasonIdentity(reason), reason])).values()];
}
