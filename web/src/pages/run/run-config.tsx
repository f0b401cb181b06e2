import type { Answered } from "../../api/answers.ts";
import { CommandLine } from "../../parts/command-line.tsx";
import { Empty } from "../../parts/notice.tsx";
import { Panel } from "../../parts/panel.tsx";
import styles from "./run-page.module.css";

/** What the run was asked for with, and the command that asks for the same. */
export function RunConfig({ run }: { readonly run: Answered<"getRun"> }) {
  const partitions = run.partitions === "" ? "" : ` --partitions '${run.partitions}'`;
  const tags = Object.entries(run.tags);
  return (
    <>
      <Panel title="The same by command">
        <div className={styles.padded}>
          <CommandLine command={`npx headgate materialize '${run.selection}'${partitions}`} />
        </div>
      </Panel>
      <Panel title="Config">
        {Object.keys(run.config).length === 0 ? (
          <Empty>Every asset ran with its defaults.</Empty>
        ) : (
          <pre className={styles.padded}>{JSON.stringify(run.config, null, 2)}</pre>
        )}
      </Panel>
      {tags.length === 0 ? null : (
        <Panel title="Tags">
          <ul className={styles.padded}>
            {tags.map(([name, value]) => (
              <li key={name}>
                <code>
                  {name}={value}
                </code>
              </li>
            ))}
          </ul>
        </Panel>
      )}
    </>
  );
}
