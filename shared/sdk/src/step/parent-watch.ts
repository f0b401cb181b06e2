import { Worker } from "node:worker_threads";

const lookEveryMs = 500;

/**
 * Ends this process when the one that started it is gone, even while user code blocks the event loop: the end of the
 * IPC channel is an event, and a loop without end would never see it.
 */
export function endWithParent(): void {
  const code = `
    const { workerData } = require("node:worker_threads");
    setInterval(() => {
      if (process.ppid !== workerData) process.kill(process.pid, "SIGKILL");
    }, ${lookEveryMs});
  `;
  const limits = { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 2 };
  const watch = new Worker(code, {
    eval: true,
    workerData: process.ppid,
    resourceLimits: limits,
    stdout: false,
    execArgv: [],
  });
  watch.unref();
  // Without the thread the end of the IPC channel still ends every process that answers.
  watch.on("error", () => {});
}
