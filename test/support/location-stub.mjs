// Stands for `headgate serve` where only its process matters: it takes the same arguments, listens, announces itself
// over IPC and has a worker process. What it does beyond that is told by its environment and by lines over its port.
import { fork } from "node:child_process";
import { randomUUID } from "node:crypto";
import { createServer } from "node:net";

if (process.argv[2] === "worker") {
  // A worker ends by no signal but SIGKILL, and not with its parent either.
  process.on("SIGTERM", () => undefined);
  process.on("disconnect", () => undefined);
  setInterval(() => undefined, 1_000_000);
  process.send("up");
} else if (process.env.STUB_FAIL !== undefined) {
  console.error("cannot load this module");
  process.exit(7);
} else if (process.env.STUB_HANG !== undefined) {
  console.log("thinking");
  setInterval(() => undefined, 1_000_000);
} else {
  process.on("disconnect", () => undefined);
  if (process.env.STUB_STUBBORN !== undefined) process.on("SIGTERM", () => console.log("no"));
  const worker = fork(process.argv[1], ["worker"]);
  await new Promise((resolve) => worker.once("message", resolve));
  const port = Number(process.argv[process.argv.indexOf("--port") + 1]);
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.on("data", (data) => {
      const text = data.toString();
      if (text === "die") process.exit(3);
      if (text === "flood") for (let i = 0; i < 400; i++) process.stdout.write(`${"x".repeat(20_000)}\n`);
      console.log(text.startsWith("say ") ? text.slice(4) : "");
      socket.end();
    });
  });
  server.listen(port, "127.0.0.1", () => {
    console.log(JSON.stringify({ args: process.argv.slice(2), worker: worker.pid }));
    console.log(JSON.stringify({ env: process.env }));
    process.send({ kind: "listening", port: server.address().port, instanceId: randomUUID(), pid: process.pid });
  });
}
