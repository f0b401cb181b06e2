import { Suspense, lazy } from "react";
import type { Answered } from "../api/answers.ts";
import { AssetLink } from "../parts/links.tsx";
import { Moment } from "../parts/time.tsx";
import type { ChartValue } from "./chart-value.ts";
import { MetadataTable } from "./metadata-table.tsx";
import styles from "./metadata.module.css";

export type MetadataEntry = Answered<"getVersion">["metadata"][number];

const Markdown = lazy(() => import("./markdown.tsx"));
const LabeledChart = lazy(() => import("./labeled-chart.tsx"));

/**
 * What a version or a result says of itself, each kind in its own form. All of it comes from outside: it becomes text,
 * figures and links to web addresses, and nothing of it is ever run.
 */
export function MetadataList({ entries }: { readonly entries: readonly MetadataEntry[] }) {
  if (entries.length === 0) return null;
  return (
    <dl className={styles.list}>
      {entries.map((entry) => (
        <div key={entry.name} className={isWide(entry) ? styles.wide : styles.entry}>
          <dt>{entry.name}</dt>
          <dd>
            <MetadataValue entry={entry} />
          </dd>
        </div>
      ))}
    </dl>
  );
}

function isWide({ kind }: MetadataEntry): boolean {
  return ["markdown", "table", "tableSchema", "columnLineage", "chart", "json"].includes(kind);
}

/** The border of the control plane has checked the form of each kind before it was stored. */
function MetadataValue({ entry: { kind, value } }: { readonly entry: MetadataEntry }) {
  switch (kind) {
    case "number":
    case "integer":
      return <>{figure(value)}</>;
    case "timestamp":
      return typeof value === "number" ? <Moment at={new Date(value).toISOString()} /> : <>{String(value)}</>;
    case "url":
      return <WebAddress url={String(value)} />;
    case "path":
      return <code>{String(value)}</code>;
    case "markdown":
      return (
        <Suspense fallback={<pre>{String(value)}</pre>}>
          <Markdown text={String(value)} />
        </Suspense>
      );
    case "table": {
      const { columns, rows } = value as { columns: string[]; rows: (string | number | boolean | null)[][] };
      return <MetadataTable columns={columns} rows={rows} />;
    }
    case "tableSchema": {
      const { columns } = value as {
        columns: { name: string; type: string; nullable?: boolean; description?: string }[];
      };
      const rows = columns.map(({ name, type, nullable, description = "" }) => [
        name,
        type,
        nullable === undefined ? "" : nullable ? "nullable" : "not null",
        description,
      ]);
      return <MetadataTable columns={["column", "type", "null", "description"]} rows={rows} />;
    }
    case "columnLineage":
      return <ColumnLineage value={value as { columns: LineageColumn[] }} />;
    case "chart":
      return (
        <Suspense fallback={null}>
          <LabeledChart {...(value as ChartValue)} />
        </Suspense>
      );
    case "json":
      return <pre>{JSON.stringify(value, null, 2)}</pre>;
    default:
      return <span className={styles.text}>{typeof value === "string" ? value : JSON.stringify(value)}</span>;
  }
}

interface LineageColumn {
  readonly name: string;
  readonly sources: readonly { readonly asset: string; readonly column: string }[];
}

function ColumnLineage({ value }: { readonly value: { readonly columns: readonly LineageColumn[] } }) {
  return (
    <table className={styles.table}>
      <thead>
        <tr>
          <th scope="col">column</th>
          <th scope="col">made of</th>
        </tr>
      </thead>
      <tbody>
        {value.columns.map(({ name, sources }) => (
          <tr key={name}>
            <th scope="row">{name}</th>
            <td>
              {sources.map(({ asset, column }) => (
                <span key={`${asset} ${column}`} className={styles.source}>
                  <AssetLink asset={asset} />.<code>{column}</code>
                </span>
              ))}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** A link if it leads to the web, and text otherwise: `javascript:` is an address too. */
function WebAddress({ url }: { readonly url: string }) {
  if (!/^https?:\/\//i.test(url)) return <span className={styles.text}>{url}</span>;
  return (
    <a href={url} target="_blank" rel="noopener noreferrer" className={styles.text}>
      {url}
    </a>
  );
}

function figure(value: unknown): string {
  if (typeof value !== "number" || (value !== 0 && Math.abs(value) < 1e-5)) return String(value);
  return value.toLocaleString("en", { maximumFractionDigits: 6 });
}
