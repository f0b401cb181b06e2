import type { z } from "zod";
import type { Reason } from "../domain/reason.ts";
import { reasonText } from "../domain/reason-text.ts";
import type { ApiContext } from "./api-context.ts";
import type { owner as ownerShape, reason as reasonShape } from "./contract/shapes.ts";

export type OwnerAnswer = z.input<typeof ownerShape>;
export type ReasonAnswer = z.input<typeof reasonShape>;

/** A team with the contacts that workspace.yaml gives it. */
export function presentOwner(context: ApiContext, team: string): OwnerAnswer {
  const found = context.workspace().teams[team];
  return {
    team,
    contacts: [...(found?.contacts ?? [])],
    oncallUrl: found?.oncallUrl ?? null,
    runbook: found?.runbook ?? null,
  };
}

/** A reason with its words and with whoever can do something about it. */
export function presentReason(context: ApiContext, reason: Reason): ReasonAnswer {
  const responsible = "team" in reason ? reason.team : (reason.asset.split("/", 1)[0] ?? "");
  const message = reasonText(reason);
  const owner = presentOwner(context, responsible);
  switch (reason.kind) {
    case "checkFailed":
      return { ...reason, metadata: reason.metadata.map((entry) => ({ ...entry })), message, owner };
    case "neverMaterialized":
    case "pending":
    case "checkNotRun":
    case "checkErrored":
    case "noValidatedVersion":
    case "locationUnreachable":
    case "notExported":
      return { ...reason, message, owner };
  }
}
