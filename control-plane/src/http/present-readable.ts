import type { z } from "zod";
import type { VersionView } from "../domain/gate.ts";
import type { readableVersion } from "./contract/asset.ts";

export type ReadableVersionAnswer = z.input<typeof readableVersion>;

/** A version as somebody needs it who is to read its value. */
export function presentReadable(view: VersionView, newest: boolean, waivers: readonly string[]): ReadableVersionAnswer {
  return {
    id: view.id,
    partition: view.partition,
    createdAt: new Date(view.createdAtMs).toISOString(),
    run: view.runId,
    newest,
    dataVersion: view.dataVersion,
    value: view.value,
    metadata: view.metadata.map((entry) => ({ ...entry })),
    waivers: [...waivers],
  };
}
