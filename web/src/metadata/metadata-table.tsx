import { useState } from "react";
import { Button } from "../parts/button.tsx";
import styles from "./metadata.module.css";

const shownMax = 20;

/** Rows that were reported: the first of them, then all. */
export function MetadataTable(props: {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | number | boolean | null)[])[];
}) {
  const { columns, rows } = props;
  const [all, setAll] = useState(false);
  const shown = all ? rows : rows.slice(0, shownMax);
  const alignment = columns.map((_, n) => (rows.some((row) => typeof row[n] === "number") ? styles.number : undefined));
  return (
    <>
      <table className={styles.table}>
        <thead>
          <tr>
            {columns.map((name, i) => (
              // Two columns may bear one name.
              <th key={i} scope="col" className={alignment[i]}>
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {shown.map((row, i) => (
            <tr key={i}>
              {row.map((cell, n) => (
                <td key={n} className={alignment[n]}>
                  {cell === null ? "null" : String(cell)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {rows.length <= shown.length ? null : (
        <Button kind="quiet" onClick={() => setAll(true)}>
          Show all {rows.length} rows
        </Button>
      )}
    </>
  );
}
