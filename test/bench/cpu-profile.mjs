// Loaded ahead of a process that is profiled (`npm run bench -- B1 --profile`): from SIGUSR2 on until its exit, it records
// where its time goes, and writes that to the folder HEADGATE_BENCH_PROFILES as PID.cpuprofile, which Chromium's developer
// tools open.
import { writeFileSync } from "node:fs";
import { Session } from "node:inspector";
import { join } from "node:path";

const folder = process.env["HEADGATE_BENCH_PROFILES"];
const session = new Session();
process.once("SIGUSR2", () => {
  session.connect();
  session.post("Profiler.enable");
  session.post("Profiler.setSamplingInterval", { interval: 200 });
  session.post("Profiler.start");
  process.once("exit", () => {
    session.post("Profiler.stop", (error, answer) => {
      if (error === null) writeFileSync(join(folder, `${process.pid}.cpuprofile`), JSON.stringify(answer.profile));
    });
  });
});
