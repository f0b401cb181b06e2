import type pg from "pg";
import type { MetadataView, ValueView } from "../domain/gate.ts";

export interface ReportedVersion {
  readonly id: string;
  readonly assetKey: string;
  readonly partition: string;
  readonly location: string;
  readonly codeVersion: string;
  readonly dataVersion: string;
  readonly value: ValueView | null;
  readonly metadata: readonly MetadataView[];
  /** Of the event that records it. */
  readonly seq: number;
}

/** Writes a version that no attempt made. */
export async function insertReportedVersion(tx: pg.PoolClient, version: ReportedVersion): Promise<void> {
  const { id, assetKey, partition, seq, location, codeVersion, dataVersion, value, metadata } = version;
  await tx.query(
    `insert into versions (id, asset_key, partition_key, seq, location, code_version, data_version, value, metadata)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
    [
      id,
      assetKey,
      partition,
      seq,
      location,
      codeVersion,
      dataVersion,
      value === null ? null : JSON.stringify(value),
      JSON.stringify(metadata),
    ],
  );
}

export interface ReportedResult {
  readonly id: string;
  readonly versionId: string;
  readonly assetKey: string;
  readonly partition: string;
  readonly team: string;
  readonly name: string;
  readonly checkVersion: number;
  readonly outcome: "passed" | "warned" | "failed" | "errored";
  readonly description: string;
  readonly metadata: readonly MetadataView[];
  /** Of the event that records it. */
  readonly seq: number;
}

/** Writes a check result that no attempt reached. */
export async function insertReportedResult(tx: pg.PoolClient, result: ReportedResult): Promise<void> {
  const { id, versionId, assetKey, partition, team, name, checkVersion, outcome, description, metadata, seq } = result;
  await tx.query(
    `insert into check_results (id, version_id, asset_key, partition_key, team, name, check_version, outcome,
       description, metadata, seq)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
    [id, versionId, assetKey, partition, team, name, checkVersion, outcome, description, JSON.stringify(metadata), seq],
  );
}
