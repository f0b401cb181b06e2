import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type LocationSupervisor, superviseLocations } from "../../control-plane/src/launchers/location-supervisor.ts";
import { processIdentity } from "../../control-plane/src/processes/process-identity.ts";
import type { GoneLocation, ListeningLocation } from "../../control-plane/src/launchers/supervised-location.ts";
import type { ModuleEntry } from "../../control-plane/src/workspace/workspace.ts";

const stub = fileURLToPath(new URL("../support/location-stub.mjs", import.meta.url));
const holderScript = fileURLToPath(new URL("../support/supervisor-holder.ts", import.meta.url));
const isRunning = (pid: number) => processIdentity(pid) !== undefined;

const entry = (locationName: string, env: Record<string, string> = {}): ModuleEntry => {
  return { kind: "module", locationName, team: "team", line: 1, path: `/modules/${locationName}`, env, sidecars: [] };
};

type Happening =
  | ({ kind: "listening" } & ListeningLocation)
  | ({ kind: "exit"; workerWasRunning: boolean; at: number } & GoneLocation)
  | { kind: "line"; locationName: string; stream: string; line: string; at: number };

interface WatchOptions {
  readonly command?: readonly string[];
  readonly startTimeoutMs?: number;
}

/** A supervisor, and what it told, in order. */
class Watched {
  readonly happenings: Happening[] = [];
  readonly supervisor: LocationSupervisor;
  /** Of each location, by what its stub printed at its start. */
  readonly workers = new Map<string, number>();
  #wake: () => void = () => undefined;

  constructor(dataDir: string, { command = [process.execPath, stub], startTimeoutMs = 60_000 }: WatchOptions) {
    this.supervisor = superviseLocations({
      dataDir,
      command,
      provided: () => ({ HEADGATE_OBJECT_STORE: "/objects" }),
      graceMs: 300,
      startTimeoutMs,
      backoff: { minMs: 20, maxMs: 80, resetAfterMs: 60_000 },
      onListening: (location) => this.#add({ kind: "listening", ...location }),
      onExit: (location) => {
        const worker = this.workers.get(location.locationName);
        const workerWasRunning = worker !== undefined && isRunning(worker);
        this.#add({ kind: "exit", workerWasRunning, at: performance.now(), ...location });
      },
      onLine: (locationName, stream, line) => {
        const { worker } = line.startsWith('{"args"') ? (JSON.parse(line) as { worker: number }) : {};
        if (worker !== undefined) this.workers.set(locationName, worker);
        this.#add({ kind: "line", locationName, stream, line, at: performance.now() });
      },
    });
  }

  #add(happening: Happening): void {
    this.happenings.push(happening);
    this.#wake();
  }

  /** The n-th happening of that kind that fits, now or when it comes. */
  async find<K extends Happening["kind"]>(
    kind: K,
    fits: (happening: Extract<Happening, { kind: K }>) => boolean = () => true,
    nth = 1,
  ): Promise<Extract<Happening, { kind: K }>> {
    for (;;) {
      const found = this.happenings
        .filter((happening): happening is Extract<Happening, { kind: K }> => happening.kind === kind)
        .filter((happening) => fits(happening))[nth - 1];
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  listening(name: string, nth = 1) {
    return this.find("listening", ({ locationName }) => locationName === name, nth);
  }

  exit(name: string, nth = 1) {
    return this.find("exit", ({ locationName }) => locationName === name, nth);
  }

  line(name: string, part: string, nth = 1) {
    return this.find("line", ({ locationName, line }) => locationName === name && line.includes(part), nth);
  }
}

let dataDir: string;
const watched: Watched[] = [];
const holders: ChildProcess[] = [];

const watch = (options: WatchOptions = {}): Watched => {
  const made = new Watched(dataDir, options);
  watched.push(made);
  return made;
};

/** A `dev` in a process of its own, with its locations listening. */
async function hold(entries: readonly ModuleEntry[]): Promise<{ child: ChildProcess; listening: ListeningLocation[] }> {
  const child = fork(holderScript, [dataDir, JSON.stringify(entries), stub], {
    execArgv: ["--import", "tsx"],
    stdio: "ignore",
  });
  holders.push(child);
  const listening: ListeningLocation[] = [];
  while (listening.length < entries.length) listening.push(((await once(child, "message")) as [ListeningLocation])[0]);
  return { child, listening };
}

async function kill9(child: ChildProcess): Promise<void> {
  const exited = once(child, "exit");
  child.kill("SIGKILL");
  await exited;
}

async function send(address: string, text: string): Promise<void> {
  const socket = connect(Number(address.split(":")[1]), "127.0.0.1");
  socket.end(text);
  socket.resume();
  await once(socket, "close").catch(() => undefined);
}

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "headgate-supervisor-"));
});
afterEach(async () => {
  for (const holder of holders.splice(0)) if (holder.exitCode === null) holder.kill("SIGKILL");
  for (const { supervisor } of watched.splice(0)) await supervisor.stop();
  // Ends what a killed holder left, if the test did not.
  const last = superviseLocations({
    dataDir,
    command: [],
    provided: () => ({}),
    onListening: () => undefined,
    onExit: () => undefined,
  });
  await last.apply([]);
  await rm(dataDir, { recursive: true });
});

describe("a location's process", () => {
  it("is started with its module, name, team and environment, and without the control plane's secrets", async () => {
    const envFile = join(dataDir, "env");
    await writeFile(envFile, 'FROM_FILE="file"\nBOTH=file\n');
    process.env["HEADGATE_DATABASE_URL"] = "postgres://secret";
    const dev = watch();
    try {
      await dev.supervisor.apply([{ ...entry("flights", { BOTH: "entry" }), envFile }]);
    } finally {
      delete process.env["HEADGATE_DATABASE_URL"];
    }
    const { address, pid, adopted } = await dev.listening("flights");
    expect(adopted).toBe(false);
    expect(isRunning(pid)).toBe(true);
    expect(address).toMatch(/^127\.0\.0\.1:\d+$/);
    const { line, stream } = await dev.line("flights", '"args"');
    expect(stream).toBe("stdout");
    expect(JSON.parse(line)).toMatchObject({
      args: ["serve", "/modules/flights", "--port", "0", "--watch", "--location-name", "flights", "--team", "team"],
    });
    const { env } = JSON.parse((await dev.line("flights", '"env"')).line) as { env: Record<string, string> };
    expect(env).toMatchObject({ FROM_FILE: "file", BOTH: "entry", HEADGATE_OBJECT_STORE: "/objects" });
    expect(env).not.toHaveProperty("HEADGATE_DATABASE_URL");
    expect(dev.happenings.filter(({ kind }) => kind === "exit")).toEqual([]);
  });

  it("is started again on the same port when it is killed, and its exit is told once its workers are gone", async () => {
    const dev = watch();
    await dev.supervisor.apply([entry("flights"), entry("analytics")]);
    const first = await dev.listening("flights");
    const other = await dev.listening("analytics");
    await dev.line("flights", '"args"');
    process.kill(first.pid, "SIGKILL");
    expect(await dev.exit("flights")).toMatchObject({
      instanceId: first.instanceId,
      signal: "SIGKILL",
      wanted: false,
      workerWasRunning: false,
    });
    const second = await dev.listening("flights", 2);
    expect(second.address).toBe(first.address);
    expect(second.instanceId).not.toBe(first.instanceId);
    expect(isRunning(other.pid)).toBe(true);
    expect(dev.happenings.some((one) => one.kind === "exit" && one.locationName === "analytics")).toBe(false);
  });

  it("is started again after its own exit too, with its last words passed on first", async () => {
    const dev = watch();
    await dev.supervisor.apply([entry("flights")]);
    const { address } = await dev.listening("flights");
    await send(address, "say my last words");
    await send(address, "die");
    expect(await dev.exit("flights")).toMatchObject({ code: 3, workerWasRunning: false });
    const said = dev.happenings.findIndex((one) => one.kind === "line" && one.line === "my last words");
    expect(said).toBeGreaterThan(-1);
    expect(said).toBeLessThan(dev.happenings.findIndex((one) => one.kind === "exit"));
    await dev.listening("flights", 2);
  });

  it("that fails at once is tried again after 20, 40, 80 and 80 ms, and keeps no other from running", async () => {
    const dev = watch();
    await dev.supervisor.apply([entry("bad", { STUB_FAIL: "1" }), entry("good")]);
    await dev.exit("bad", 5);
    expect(await dev.line("bad", "cannot load this module")).toMatchObject({ stream: "stderr" });
    const waits = dev.happenings.flatMap((one) =>
      one.kind === "line" && one.locationName === "bad" ? (/again in (\d+) ms/.exec(one.line)?.[1] ?? []) : [],
    );
    expect(waits.slice(0, 4)).toEqual(["20", "40", "80", "80"]);
    const exit = await dev.exit("bad");
    expect(exit).toMatchObject({ code: 7, instanceId: undefined, wanted: false });
    expect((await dev.exit("bad", 2)).at - exit.at).toBeGreaterThanOrEqual(19);
    await dev.listening("good");
  });

  it("that cannot even be spawned is said to be so", async () => {
    const dev = watch({ command: ["/no/such/program"] });
    await dev.supervisor.apply([entry("flights")]);
    expect((await dev.line("flights", "cannot be started")).line).toContain("/no/such/program");
    expect(await dev.exit("flights", 2)).toMatchObject({ instanceId: undefined, wanted: false });
  });

  it("that never listens is killed and tried again", async () => {
    const dev = watch({ startTimeoutMs: 300 });
    await dev.supervisor.apply([entry("slow", { STUB_HANG: "1" })]);
    await dev.line("slow", "did not listen within 300 ms");
    expect(await dev.exit("slow")).toMatchObject({ signal: "SIGKILL", instanceId: undefined });
    await dev.line("slow", "thinking", 2);
  });

  it("cannot drown this one in its output", async () => {
    const dev = watch();
    await dev.supervisor.apply([entry("loud")]);
    const { address } = await dev.listening("loud");
    await send(address, "flood");
    await send(address, "say after the flood");
    await dev.line("loud", "after the flood");
    const lines = dev.happenings.flatMap((one) => (one.kind === "line" ? one.line : []));
    expect(Math.max(...lines.filter((line) => line.startsWith("x")).map(({ length }) => length))).toBeLessThan(8_100);
  });
});

describe("a changed workspace", () => {
  it("restarts what changed, ends what is gone, starts what is new and leaves the rest alone", async () => {
    const dev = watch();
    await dev.supervisor.apply([entry("same"), entry("changed"), entry("gone")]);
    const same = await dev.listening("same");
    const changed = await dev.listening("changed");
    const gone = await dev.listening("gone");
    await dev.supervisor.apply([entry("same"), entry("changed", { NEW: "1" }), entry("new")]);
    expect(await dev.exit("gone")).toMatchObject({
      instanceId: gone.instanceId,
      wanted: true,
      workerWasRunning: false,
    });
    expect(await dev.exit("changed")).toMatchObject({ instanceId: changed.instanceId, wanted: true });
    await dev.listening("new");
    expect((await dev.listening("changed", 2)).pid).not.toBe(changed.pid);
    expect(isRunning(same.pid)).toBe(true);
    expect(dev.happenings.some((one) => one.kind === "exit" && one.locationName === "same")).toBe(false);
  });

  it("restarts a location whose env file changed", async () => {
    const envFile = join(dataDir, "env");
    await writeFile(envFile, "LEVEL=1\n");
    const dev = watch();
    await dev.supervisor.apply([{ ...entry("flights"), envFile }]);
    await dev.listening("flights");
    await writeFile(envFile, "LEVEL=2\n");
    await dev.supervisor.apply([{ ...entry("flights"), envFile }]);
    await dev.listening("flights", 2);
    expect((await dev.line("flights", '"env"', 2)).line).toContain('"LEVEL":"2"');
  });
});

describe("stop", () => {
  it("ends even what ignores SIGTERM, workers included, and leaves no record", async () => {
    const dev = watch();
    await dev.supervisor.apply([entry("stubborn", { STUB_STUBBORN: "1" }), entry("tame")]);
    const stubborn = await dev.listening("stubborn");
    await dev.listening("tame");
    await dev.line("stubborn", '"args"');
    await dev.supervisor.stop();
    expect(isRunning(stubborn.pid)).toBe(false);
    expect(await dev.exit("stubborn")).toMatchObject({ signal: "SIGKILL", wanted: true, workerWasRunning: false });
    expect(await dev.exit("tame")).toMatchObject({ signal: "SIGTERM", wanted: true });
    expect(dev.happenings.some((one) => one.kind === "line" && one.line === "no")).toBe(true);
    expect(existsSync(join(dataDir, "locations", "stubborn.json"))).toBe(false);
  });
});

describe("kill -9 of dev", () => {
  it("leaves the locations running, and the next dev adopts them, reads them and watches them", async () => {
    const { child, listening } = await hold([entry("flights")]);
    const [before] = listening;
    await kill9(child);
    const dev = watch();
    await dev.supervisor.apply([entry("flights")]);
    expect(await dev.listening("flights")).toMatchObject({ ...before, adopted: true });
    await send(before?.address ?? "", "say still here");
    await dev.line("flights", "still here");
    process.kill(before?.pid ?? 0, "SIGKILL");
    expect(await dev.exit("flights")).toMatchObject({ instanceId: before?.instanceId, wanted: false });
    const after = await dev.listening("flights", 2);
    expect(after).toMatchObject({ adopted: false, address: before?.address });
  });

  it("and an entry changed meanwhile: the old process is ended and told before the new one is started", async () => {
    const { child, listening } = await hold([entry("flights")]);
    await kill9(child);
    const dev = watch();
    await dev.supervisor.apply([entry("flights", { NEW: "1" })]);
    const fresh = await dev.listening("flights");
    expect(fresh.adopted).toBe(false);
    expect(dev.happenings[0]).toMatchObject({ kind: "exit", instanceId: listening[0]?.instanceId });
    expect(isRunning(listening[0]?.pid ?? 0)).toBe(false);
  });

  it("and an entry removed meanwhile: its process is ended", async () => {
    const { child, listening } = await hold([entry("flights"), entry("analytics")]);
    await kill9(child);
    const dev = watch();
    await dev.supervisor.apply([entry("analytics")]);
    const flights = listening.find(({ locationName }) => locationName === "flights");
    expect(await dev.exit("flights")).toMatchObject({ instanceId: flights?.instanceId, wanted: true });
    expect(isRunning(flights?.pid ?? 0)).toBe(false);
    expect((await dev.listening("analytics")).adopted).toBe(true);
  });

  it("and of a location: its exit is told once the workers that outlived both are gone", async () => {
    const { child, listening } = await hold([entry("flights")]);
    const before = listening[0];
    await kill9(child);
    const log = readFileSync(join(dataDir, "locations", "flights.stdout"), "utf8");
    const { worker } = JSON.parse(log.split("\n")[0] ?? "{}") as { worker: number };
    process.kill(before?.pid ?? 0, "SIGKILL");
    while (isRunning(before?.pid ?? 0)) await new Promise((resolve) => setImmediate(resolve));
    expect(isRunning(worker)).toBe(true);
    const dev = watch();
    dev.workers.set("flights", worker);
    await dev.supervisor.apply([entry("flights")]);
    expect(await dev.exit("flights")).toMatchObject({ instanceId: before?.instanceId, workerWasRunning: false });
    expect((await dev.listening("flights")).adopted).toBe(false);
  });
});
