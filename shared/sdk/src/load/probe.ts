import type { BundleReference, FromWorker, LoadProblem } from "../step/worker-protocol.ts";
import { WorkerProcess } from "./worker-process.ts";

/** A module that takes longer to import is taken for one that hangs. */
const importTimeoutMs = 30_000;
const importLongMs = 3_000;

type Described =
  Extract<FromWorker, { kind: "described" }> | { readonly kind: "loadFailed"; readonly problem: LoadProblem };

/** Imports a bundle in a process of its own and describes what it defines. @throws the signal's reason */
export function describeBundle(bundle: BundleReference, signal?: AbortSignal): Promise<Described> {
  return inWorker<Described>(
    (message, worker, done) => {
      if (message.kind === "loaded") worker.send({ kind: "describe" });
      else if (message.kind === "described" || message.kind === "loadFailed") done(message);
    },
    { kind: "load", bundle },
    (words) => ({ kind: "loadFailed", problem: unexplained(words) }),
    signal,
  );
}

/**
 * Imports modules one after the other; the first that throws, hangs or ends its process, or undefined.
 *
 * @throws the signal's reason
 */
export function probeModules(
  modules: readonly { readonly source: string; readonly file: string }[],
  signal?: AbortSignal,
): Promise<{ readonly source: string; readonly problem: LoadProblem } | undefined> {
  let current: string | undefined;
  return inWorker<{ source: string; problem: LoadProblem } | undefined>(
    (message, _worker, done) => {
      if (message.kind === "probing") current = message.source;
      if (message.kind !== "probed") return;
      const { source, problem } = message;
      done(source === undefined || problem === undefined ? undefined : { source, problem });
    },
    { kind: "probe", modules },
    (words) => (current === undefined ? undefined : { source: current, problem: unexplained(words) }),
    signal,
  );
}

function unexplained(words: string): LoadProblem {
  const error = {
    code: "definition.module_threw",
    message: words,
    stack: "",
    position: undefined,
    cause: undefined,
    hint: "",
  };
  return { error, culprit: undefined };
}

function inWorker<Result>(
  receive: (message: FromWorker, worker: WorkerProcess, done: (result: Result) => void) => void,
  first: Parameters<WorkerProcess["send"]>[0],
  failed: (words: string) => Result,
  signal: AbortSignal | undefined,
): Promise<Result> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    let stderr = "";
    const end = () => {
      clearTimeout(timer);
      clearTimeout(longTimer);
      signal?.removeEventListener("abort", abort);
      worker.kill();
    };
    const done = (result: Result) => {
      end();
      resolve(result);
    };
    const abort = () => {
      end();
      reject(signal?.reason as Error);
    };
    const worker = new WorkerProcess(
      {
        message: (message) => receive(message, worker, done),
        output: (stream, body) => {
          if (stream === "stderr") stderr = (stderr + body.toString()).slice(-2_000);
          else process.stderr.write(body);
        },
        exit: ({ code, signal }) => {
          const how = signal === null ? `with exit code ${code}` : `by signal ${signal}`;
          done(failed(`The process ended ${how} during the import.${stderr === "" ? "" : ` ${stderr.trim()}`}`));
        },
      },
      false,
    );
    const timer = setTimeout(() => {
      done(failed(`The import did not end within ${importTimeoutMs / 1000} s.`));
    }, importTimeoutMs);
    const longTimer = setTimeout(() => {
      process.stderr.write(
        `The import of the definitions takes long; it is given up after ${importTimeoutMs / 1000} s. Does a module wait or loop at its top level?\n`,
      );
    }, importLongMs);
    signal?.addEventListener("abort", abort, { once: true });
    worker.send(first);
  });
}
