import { randomUUID } from "node:crypto";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { CircuitBreaker } from "../../control-plane/src/daemons/circuit-breaker.ts";
import { GraphMirror } from "../../control-plane/src/daemons/graph-mirror.ts";
import {
  type LocationListener,
  LocationSync,
  type LocationTarget,
  workspaceTargets,
} from "../../control-plane/src/daemons/location-sync.ts";
import { connectLocation } from "../../control-plane/src/grpc/location-client.ts";
import type { AttemptPosition, Session } from "../../control-plane/src/grpc/session.ts";
import { openNotifications } from "../../control-plane/src/storage/notifications.ts";
import { type TestDatabase, testDatabase } from "../support/database.ts";
import {
  type BareLocation,
  type BareLocationOptions,
  bareCheck,
  bareEntries,
  startBareLocation,
} from "../support/bare-location.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
  await database.pool.query("select ensure_event_partitions()");
});
afterAll(() => database.drop());

const ends: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
  await database.pool.query("truncate locations, definitions, location_definitions, asset_owners, events cascade");
});

async function bare(options: BareLocationOptions = {}): Promise<BareLocation> {
  const location = await startBareLocation(options);
  ends.push(() => location.close());
  return location;
}

/** Remembers what the sync tells whoever drives runs. */
class Listener implements LocationListener {
  readonly opened: { location: string; instanceId: string; session: Session; credits: number; held: number }[] = [];
  readonly closed: string[] = [];
  readonly positions: AttemptPosition[] = [];
  onOpened: (location: string) => void = () => undefined;

  sessionOpened(
    location: string,
    instanceId: string,
    session: Session,
    credits: number,
    held: readonly unknown[],
  ): void {
    this.opened.push({ location, instanceId, session, credits, held: held.length });
    this.onOpened(location);
  }
  sessionClosed(location: string): void {
    this.closed.push(location);
  }
  inFlight(): readonly AttemptPosition[] {
    return this.positions;
  }
  reports(): void {}
  refused(): void {}
  credits(): void {}
}

function start(
  listener: LocationListener = new Listener(),
  options: { deadlineMs?: number; startGraceMs?: number } = {},
): LocationSync {
  const sync = new LocationSync({
    pool: database.pool,
    listener,
    daemonId: randomUUID,
    log: { info: () => undefined, warn: () => undefined },
    connect: (address) => connectLocation({ ...address, deadlineMs: options.deadlineMs ?? 5_000 }),
    circuit: { delayMsMin: 10, delayMsMax: 100, failuresMax: 3 },
    reloadPollMs: 20,
    startGraceMs: options.startGraceMs ?? 5_000,
  });
  ends.push(() => sync.close());
  return sync;
}

const target = (name: string, address?: string, more: Partial<LocationTarget> = {}): LocationTarget => ({
  name,
  team: name,
  ...(address === undefined ? {} : { address }),
  ...more,
});
const whole = (...targets: LocationTarget[]) => ({ targets, complete: true });

interface Row {
  name: string;
  state: string;
  code: string | null;
  instance_id: string | null;
  removed: boolean;
}

async function rows(): Promise<Row[]> {
  const { rows: found } = await database.pool.query<Row>(
    "select name, state, error ->> 'code' as code, instance_id, removed_at is not null as removed from locations order by name",
  );
  return found;
}

async function definedKeys(location: string): Promise<string[]> {
  const { rows: found } = await database.pool.query<{ key: string }>(
    "select key from location_definitions where location = $1 and retired_at is null order by key",
    [location],
  );
  return found.map(({ key }) => key);
}

describe("a location of the workspace", () => {
  it("is loaded, becomes healthy, and its session is handed over", async () => {
    const location = await bare();
    const listener = new Listener();
    listener.positions.push({ attemptId: randomUUID(), sequence: 4 });
    const sync = start(listener);
    await sync.setTargets(whole(target("bare", location.address)));
    await sync.ready();
    expect(await rows()).toEqual([
      { name: "bare", state: "healthy", code: null, instance_id: location.instanceId, removed: false },
    ]);
    expect(await definedKeys("bare")).toEqual(["bare/doubled", "bare/numbers", "bare/numbers@not_empty"]);
    expect(listener.opened).toMatchObject([{ location: "bare", instanceId: location.instanceId, credits: 4, held: 0 }]);
    expect(location.helloPositions).toEqual([listener.positions[0]]);
    const { rows: kinds } = await database.pool.query<{ kind: string }>("select kind from events order by seq");
    expect(kinds.map(({ kind }) => kind)).toEqual(["definitions_changed", "location_state"]);
  });

  it("asks for definitions that are stored already not again", async () => {
    const location = await bare();
    const first = start();
    await first.setTargets(whole(target("bare", location.address)));
    await first.ready();
    await first.close();
    expect(location.definitionCalls).toHaveLength(1);
    const again = await bare();
    const second = start();
    await second.setTargets(whole(target("bare", again.address)));
    await second.ready();
    expect(again.definitionCalls).toEqual([]);
  });

  it("that is down, hangs, wants a token or has only a problem is reported, and keeps no other from loading", async () => {
    const gone = await startBareLocation();
    await gone.close();
    const hanging = await bare({ hangs: true });
    const guarded = await bare({ token: "secret", entries: [] });
    const good = await bare();
    const listener = new Listener();
    const sync = start(listener, { deadlineMs: 1_000 });
    const order: string[] = [];
    listener.onOpened = (location) => order.push(location);
    const problem = { code: "workspace.wrong_value", message: "port is no number", hint: "write a number" };
    await sync.setTargets(
      whole(
        target("hanging", hanging.address),
        target("gone", gone.address),
        target("guarded", guarded.address),
        target("wrong", undefined, { problem }),
        target("bare", good.address),
      ),
    );
    await sync.ready();
    expect((await rows()).map(({ name, state, code }) => [name, state, code])).toEqual([
      ["bare", "healthy", null],
      ["gone", "unreachable", "location.unreachable"],
      ["guarded", "refused", "location.unauthenticated"],
      ["hanging", "unreachable", "location.timed_out"],
      ["wrong", "refused", "workspace.wrong_value"],
    ]);
    expect(order).toEqual(["bare"]);
  });

  it("is dialled at once where it has moved to, and its definitions stay meanwhile", async () => {
    const before = await startBareLocation();
    const listener = new Listener();
    const sync = start(listener);
    await sync.setTargets(whole(target("bare", before.address)));
    await sync.ready();
    await before.close();
    await expect.poll(async () => (await rows())[0]?.state).toBe("unreachable");
    expect(await definedKeys("bare")).toHaveLength(3);
    const after = await bare();
    sync.addressChanged("bare", after.address);
    await expect.poll(() => listener.opened.length).toBe(2);
    expect(listener.opened[1]?.instanceId).toBe(after.instanceId);
    expect(listener.closed).toEqual(["bare"]);
    await expect.poll(async () => (await rows())[0]).toMatchObject({ state: "healthy", instance_id: after.instanceId });
  });

  it("is dialled at its new address at once though a call still hangs at the old one", async () => {
    const hanging = await bare({ hangs: true });
    const location = await bare();
    const sync = start(new Listener(), { deadlineMs: 600_000 });
    await sync.setTargets(whole(target("bare", hanging.address)));
    await expect.poll(() => hanging.calls()).toBe(1);
    sync.addressChanged("bare", location.address);
    await sync.ready();
    expect(await rows()).toMatchObject([{ state: "healthy", instance_id: location.instanceId }]);
  });

  it("that has not started is reported after a while, and loaded when it has", async () => {
    const location = await bare();
    const sync = start(new Listener(), { startGraceMs: 50 });
    await sync.setTargets(whole(target("bare")));
    await sync.ready();
    expect(await rows()).toMatchObject([{ name: "bare", state: "unreachable", code: "location.not_started" }]);
    sync.addressChanged("bare", location.address);
    await expect.poll(async () => (await rows())[0]?.state).toBe("healthy");
  });

  it("gets its changed definitions applied without its session closing", async () => {
    const location = await bare();
    const listener = new Listener();
    const sync = start(listener);
    await sync.setTargets(whole(target("bare", location.address)));
    await sync.ready();
    location.setEntries([...bareEntries(), bareCheck({ name: "another" })]);
    await expect.poll(() => definedKeys("bare")).toContain("bare/numbers@another");
    expect([listener.opened.length, listener.closed.length, location.openSessions()]).toEqual([1, 0, 1]);
  });

  it("that breaks a limit when it reloads keeps its session and its last good definitions", async () => {
    const location = await bare();
    const listener = new Listener();
    const sync = start(listener);
    await sync.setTargets(whole(target("bare", location.address)));
    await sync.ready();
    location.setEntries([{ kind: "KIND_UNSPECIFIED" as never, key: "bare/x", definition: {} }]);
    await expect.poll(async () => (await rows())[0]).toMatchObject({ state: "refused", code: "location.refused" });
    expect(await definedKeys("bare")).toHaveLength(3);
    expect(listener.closed).toEqual([]);
    location.setEntries(bareEntries().slice(0, 1));
    await expect.poll(async () => (await rows())[0]).toMatchObject({ state: "healthy", code: null });
    expect(await definedKeys("bare")).toEqual(["bare/numbers"]);
  });

  it("is asked again when a reload was requested", async () => {
    const location = await bare();
    const sync = start();
    await sync.setTargets(whole(target("bare", location.address)));
    await sync.ready();
    const before = location.calls();
    await database.pool.query("update locations set reload_requested_at = clock_timestamp()");
    await expect.poll(() => location.calls()).toBeGreaterThan(before);
    const pending = "select from locations where reload_requested_at is not null";
    await expect.poll(async () => (await database.pool.query(pending)).rowCount).toBe(0);
  });

  it("opens a new session when what listens to it throws", async () => {
    const location = await bare();
    const listener = new Listener();
    let thrown = 0;
    listener.onOpened = () => {
      if (thrown++ === 0) throw new Error("a bug in the listener");
    };
    const sync = start(listener);
    await sync.setTargets(whole(target("bare", location.address)));
    await expect.poll(() => listener.opened.length).toBe(2);
    expect(listener.closed).toEqual(["bare"]);
    await sync.ready();
    expect(await rows()).toMatchObject([{ state: "healthy" }]);
  });

  it("that left the workspace is retired, but not by a workspace that cannot be read whole", async () => {
    const location = await bare();
    const other = await bare({ entries: bareEntries("other") });
    const listener = new Listener();
    const sync = start(listener);
    await sync.setTargets(whole(target("bare", location.address), target("other", other.address)));
    await sync.ready();
    await sync.setTargets({ targets: [target("other", other.address)], complete: false });
    expect((await rows()).map(({ removed }) => removed)).toEqual([false, false]);
    await sync.setTargets(whole(target("other", other.address)));
    expect((await rows()).map(({ name, removed }) => [name, removed])).toEqual([
      ["bare", true],
      ["other", false],
    ]);
    expect(await definedKeys("bare")).toEqual([]);
    expect([listener.closed, listener.opened.length]).toEqual([["bare"], 2]);
    await sync.setTargets(whole(target("bare", location.address), target("other", other.address)));
    await sync.ready();
    expect(await definedKeys("bare")).toHaveLength(3);
  });
});

describe("workspaceTargets", () => {
  const entry = { locationName: "a", team: "t", line: 1 } as const;
  const problem = {
    code: "workspace.wrong_value",
    message: "m",
    hint: "h",
    file: "w.yaml",
    line: 3,
    column: 1,
  } as const;

  it("turns a missing token into that entry's problem", () => {
    const server = { ...entry, kind: "grpcServer", host: "::1", port: 4, tokenEnv: "T" } as const;
    const workspace = { readable: true, problems: [] };
    expect(workspaceTargets([server], workspace, {}).targets).toMatchObject([
      { problem: { code: "location.token_missing" } },
    ]);
    expect(workspaceTargets([server], workspace, { T: "x" }).targets).toEqual([
      { name: "a", team: "t", address: "[::1]:4", token: "x" },
    ]);
  });

  it("reports an entry that has only a problem, and takes nothing for gone where it cannot tell", () => {
    const named = { ...problem, locationName: "b" };
    expect(workspaceTargets([], { readable: true, problems: [named] }, {})).toEqual({
      complete: true,
      targets: [
        {
          name: "b",
          team: "b",
          problem: { code: "workspace.wrong_value", message: "m", hint: "h", file: "w.yaml", line: 3 },
        },
      ],
    });
    expect(workspaceTargets([], { readable: true, problems: [problem] }, {}).complete).toBe(false);
    expect(workspaceTargets([], { readable: false, problems: [] }, {}).complete).toBe(false);
  });
});

describe("the circuit of a location", () => {
  const timing = { delayMsMin: 100, delayMsMax: 5_000, failuresMax: 4 };

  it("doubles the delay while it is closed, opens after repeated failures, and closes after a probe", () => {
    const breaker = new CircuitBreaker(timing);
    const delays: number[] = [];
    for (let n = 0; n < 3; n++) {
      breaker.failed();
      delays.push(breaker.delayMs(0));
    }
    expect([delays, breaker.state]).toEqual([[100, 200, 400], "closed"]);
    breaker.failed();
    expect([breaker.state, breaker.delayMs(0), breaker.delayMs(1)]).toEqual(["open", 5_000, 2_500]);
    breaker.dialled();
    expect(breaker.state).toBe("halfOpen");
    breaker.failed();
    expect(breaker.state).toBe("open");
    breaker.dialled();
    breaker.connected();
    expect(breaker.state).toBe("closed");
  });

  it("remembers failures of a location that connects and breaks at once, and forgets them when it stays", () => {
    const breaker = new CircuitBreaker(timing);
    for (let n = 0; n < 4; n++) {
      breaker.dialled();
      breaker.connected();
      breaker.failed();
    }
    expect(breaker.state).toBe("open");
    breaker.succeeded();
    breaker.failed();
    expect([breaker.state, breaker.delayMs(0)]).toEqual(["closed", 100]);
  });
});

describe("the graph mirror", () => {
  it("follows what locations define, and refresh() sees what was committed before", async () => {
    const notifications = openNotifications(database.url);
    ends.push(() => notifications.close());
    const mirror = await GraphMirror.open({ pool: database.pool, notifications, pollMs: 60_000 });
    ends.push(() => mirror.close());
    const changes = vi.fn();
    mirror.onChange(changes);
    expect(mirror.current().order).toEqual([]);
    const location = await bare();
    const sync = start();
    await sync.setTargets(whole(target("bare", location.address)));
    await sync.ready();
    const refreshed = await Promise.all([mirror.refresh(), mirror.refresh(), mirror.refresh()]);
    expect(refreshed.map(({ order }) => order.length)).toEqual([2, 2, 2]);
    location.setEntries(bareEntries().slice(0, 1));
    await expect.poll(() => mirror.current().order.length).toBe(1);
    expect(changes).toHaveBeenCalledTimes(2);
    expect(changes.mock.calls[1]?.[0]).toBe(mirror.current());
  });
});
