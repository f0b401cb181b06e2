import type { Answered } from "../../api/answers.ts";
import type { logStreams } from "../../app/search.ts";
import { LogView } from "../../logs/log-view.tsx";
import { linesMax, useLog } from "../../logs/use-log.ts";
import fields from "../../parts/field.module.css";
import { Empty, Problem } from "../../parts/notice.tsx";
import { Select } from "../../parts/select.tsx";
import type { Step } from "./gantt.tsx";

interface LogSearch {
  readonly attempt?: number;
  readonly stream?: (typeof logStreams)[number];
  readonly line?: number;
}

/** What the chosen step, or every step, printed and logged: of one attempt, of one stream, or all of it. */
export function RunLog(props: {
  readonly run: Answered<"getRun">;
  readonly step: Step | undefined;
  readonly search: LogSearch;
  readonly go: (change: { [K in keyof LogSearch]?: LogSearch[K] | undefined }) => void;
}) {
  const { run, step, search, go } = props;
  const { attempt, stream, line } = search;
  const { lines, complete, error } = useLog(run.id, {
    ...(step === undefined ? {} : { step: step.index }),
    ...(attempt === undefined ? {} : { attempt }),
    ...(stream === undefined ? {} : { stream }),
  });
  const attempts = Array.from({ length: step?.attempts ?? 0 }, (_, i) => String(i + 1));
  return (
    <>
      <div className={fields.bar}>
        <Select
          label="Stream"
          value={stream ?? ""}
          options={[
            ["", "All output"],
            ["log", "Log"],
            ["stdout", "stdout"],
            ["stderr", "stderr"],
          ]}
          choose={(value) => go({ stream: value as LogSearch["stream"], line: undefined })}
        />
        {attempts.length < 2 ? null : (
          <Select
            label="Attempt"
            value={attempt === undefined ? "" : String(attempt)}
            options={[["", "All attempts"], ...attempts.map((number) => [number, `Attempt ${number}`] as const)]}
            choose={(value) => go({ attempt: value === "" ? undefined : Number(value), line: undefined })}
          />
        )}
      </div>
      {error === undefined ? null : <Problem error={error} />}
      {lines.length === 0 && complete ? <Empty>{emptyText(step, stream)}</Empty> : null}
      {lines.length === 0 ? null : (
        <LogView
          lines={lines}
          live={!complete}
          withSteps={step === undefined}
          marked={line}
          mark={(number) => go({ line: number === line ? undefined : number })}
        />
      )}
      {lines.length < linesMax ? null : (
        <Empty command={`npx headgate run logs ${run.id}`}>There is more than a browser shows.</Empty>
      )}
    </>
  );
}

function emptyText(step: Step | undefined, stream: string | undefined): string {
  if (step !== undefined && step.attempts === 0)
    return "This step never started, so nothing was printed. Its reason is above.";
  return stream === undefined ? "Nothing was printed or logged." : `Nothing came from ${stream}.`;
}
