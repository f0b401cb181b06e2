import { randomUUID } from "node:crypto";
import { afterEach, describe, expect, it } from "vitest";
import type { AttemptReport, StepCommand } from "../../control-plane/src/domain/attempt-report.ts";
import type { HeldAttempt, Welcome } from "../../control-plane/src/grpc/decode-frame.ts";
import { type LocationClient, connectLocation } from "../../control-plane/src/grpc/location-client.ts";
import { LocationError } from "../../control-plane/src/grpc/location-error.ts";
import type { AttemptPosition, Session, SessionTiming } from "../../control-plane/src/grpc/session.ts";
import {
  type BareLocation,
  type BareLocationOptions,
  bareEntries,
  encodeFrame,
  startBareLocation,
} from "../support/bare-location.ts";

const ends: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

async function location(options: BareLocationOptions = {}): Promise<BareLocation> {
  const started = await startBareLocation(options);
  ends.push(() => started.close());
  return started;
}

function client(
  address: string,
  more: { token?: string; deadlineMs?: number; sessionTiming?: SessionTiming } = {},
): LocationClient {
  const connected = connectLocation({ address, daemonId: randomUUID(), ...more });
  ends.push(() => connected.close());
  return connected;
}

/** A session that remembers what it was told; `until` resolves with the first moment at which something holds. */
class Recorder {
  welcome: Welcome | undefined;
  readonly reports: AttemptReport[] = [];
  readonly refused: { attemptId: string; reason: string }[] = [];
  readonly hashes: string[] = [];
  closed: { error: Error | undefined } | undefined;
  readonly session: Session;
  #check: () => void = () => undefined;

  constructor(to: LocationClient, inFlight: readonly AttemptPosition[] = [], nonce = 1) {
    const note = (change: () => void) => {
      change();
      this.#check();
    };
    this.session = to.openSession(
      { daemonId: "daemon", nonce, inFlight },
      {
        welcome: (welcome) => note(() => (this.welcome = welcome)),
        reports: (reports) => note(() => this.reports.push(...reports)),
        refused: (refused) => note(() => this.refused.push(...refused)),
        credits: () => undefined,
        definitionsChanged: (hash) => note(() => this.hashes.push(hash)),
        closed: (error) => note(() => (this.closed = { error })),
      },
    );
    ends.push(() => this.session.close());
  }

  until<T>(look: () => T | undefined | false): Promise<T> {
    return new Promise((resolve) => {
      this.#check = () => {
        const seen = look();
        if (seen !== undefined && seen !== false) resolve(seen);
      };
      this.#check();
    });
  }
}

function command(attemptId = randomUUID(), inputs = 0): StepCommand {
  const version = { versionId: randomUUID(), partition: "", value: null, dataVersion: "1", metadata: [] };
  const versions = Array.from({ length: inputs }, () => ({
    ...version,
    metadata: [{ name: "m", kind: "text", value: "x".repeat(60_000) }],
  }));
  return {
    attemptId,
    runId: randomUUID(),
    epoch: 1,
    attemptNumber: 1,
    asset: "bare/numbers",
    partition: "",
    timeoutMs: 0,
    leaseMs: 50_000,
    tags: {},
    work: {
      kind: "materialize",
      versionId: randomUUID(),
      inputs: [{ name: "in", asset: "bare/x", mode: "strict", versions, leftOut: [], single: false }],
      checks: ["not_empty"],
    },
  };
}

describe("asking a location", () => {
  it("shakes hands and fetches manifest and definitions", async () => {
    const bare = await location();
    const asked = client(bare.address);
    expect(await asked.handshake()).toMatchObject({ instanceId: bare.instanceId, team: "bare", pid: process.pid });
    const manifest = await asked.manifest("");
    expect(manifest?.entries.map(({ kind, key }) => `${kind} ${key}`)).toEqual([
      "asset bare/numbers",
      "asset bare/doubled",
      "check bare/numbers@not_empty",
    ]);
    const hashes = manifest?.entries.map(({ hash }) => hash ?? "") ?? [];
    const definitions = await asked.definitions(hashes);
    expect([...definitions.values()].map((definition) => definition.ok)).toEqual([true, true, true]);
    expect(await asked.manifest(manifest?.definitionsHash ?? "")).toBeUndefined();
  });

  it("refuses a definition whose bytes do not have the hash that they are sent under, and it alone", async () => {
    const [numbers, doubled] = bareEntries();
    if (numbers === undefined || doubled === undefined) throw new Error("no entries");
    const bare = await location({ entries: [{ ...numbers, bytes: Buffer.from("forged") }, doubled] });
    const asked = client(bare.address);
    const hashes = (await asked.manifest(""))?.entries.map(({ hash }) => hash ?? "") ?? [];
    const [forged, good] = [...(await asked.definitions(hashes)).values()];
    expect(forged).toMatchObject({ ok: false, error: { code: "definition.hash_mismatch" } });
    expect(good).toMatchObject({ ok: true });
  });

  it.each<[string, BareLocationOptions, string, string]>([
    [
      "speaks no common version",
      { handshake: { protocol: 0, refusal: "I speak 7 to 9" } },
      "location.protocol_mismatch",
      "I speak 7 to 9",
    ],
    [
      "answers with a version that was not asked for",
      { handshake: { protocol: 9 } },
      "location.protocol_mismatch",
      "versions 1 to 2",
    ],
    ["names no instance", { handshake: { instanceId: "" } }, "location.refused", "instance_id"],
    ["wants a token", { token: "secret" }, "location.unauthenticated", "token"],
  ])("says in words why a location that %s is refused", async (_, options, code, words) => {
    const bare = await location(options);
    const error: unknown = await client(bare.address)
      .handshake()
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(LocationError);
    expect(error).toMatchObject({ code, isRefusal: true });
    expect((error as Error).message).toContain(words);
  });

  it("sends the token of the workspace", async () => {
    const bare = await location({ token: "secret" });
    await expect(client(bare.address, { token: "secret" }).handshake()).resolves.toMatchObject({ team: "bare" });
  });

  it("gives up on a location that takes calls and never answers", async () => {
    const bare = await location({ hangs: true });
    const error: unknown = await client(bare.address, { deadlineMs: 100 })
      .handshake()
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "location.timed_out", isRefusal: false });
  });

  it("says that nothing answers where nothing listens", async () => {
    const bare = await startBareLocation();
    await bare.close();
    await expect(client(bare.address).handshake()).rejects.toMatchObject({ code: "location.unreachable" });
  });

  it("refuses a manifest with a kind that it does not know, and one that is too large for a message", async () => {
    const odd = await location({ entries: [{ kind: "KIND_UNSPECIFIED" as never, key: "bare/x", definition: {} }] });
    await expect(client(odd.address).manifest("")).rejects.toMatchObject({ code: "location.refused" });
    const message = "x".repeat(1_000_000);
    const entries = Array.from({ length: 20 }, (_, n) => ({
      kind: "KIND_MODULE" as const,
      key: `m${n}`,
      error: { code: "c", message, hint: "" },
    }));
    const huge = await location({ entries });
    await expect(client(huge.address).manifest("")).rejects.toMatchObject({ code: "location.refused" });
  });

  it("refuses more than 64 MiB of definitions", async () => {
    const entries = Array.from({ length: 70 }, (_, n) => ({
      kind: "KIND_ASSET" as const,
      key: `bare/a${n}`,
      definition: { asset: { key: `bare/a${n}`, codeVersion: "1", configSchema: "1".repeat(1_000_000) } },
    }));
    const bare = await location({ entries });
    const asked = client(bare.address);
    const hashes = (await asked.manifest(""))?.entries.map(({ hash }) => hash ?? "") ?? [];
    await expect(asked.definitions(hashes)).rejects.toMatchObject({ code: "location.refused" });
  });
});

describe("a session", () => {
  it("sends a command, reads its report, and acknowledges it", async () => {
    const bare = await location();
    const recorder = new Recorder(client(bare.address));
    expect(await recorder.until(() => recorder.welcome)).toEqual({ instanceId: bare.instanceId, credits: 4, held: [] });
    const sent = command();
    recorder.session.send({ commands: [sent] });
    const report = await recorder.until(() => recorder.reports[0]);
    expect(report).toMatchObject({
      attemptId: sent.attemptId,
      sequence: 1,
      kind: "finished",
      finished: { outcome: "succeeded", checks: [{ name: "not_empty", outcome: "passed" }] },
    });
    recorder.session.send({ acknowledgements: [{ attemptId: sent.attemptId, sequence: 1 }], commands: [sent] });
    await recorder.until(() => recorder.refused[0]);
    expect(recorder.refused).toEqual([{ attemptId: sent.attemptId, reason: "tombstoned" }]);
    expect(bare.attempts.size).toBe(0);
  });

  it("merges what is sent in one tick into one frame", async () => {
    const bare = await location();
    const recorder = new Recorder(client(bare.address));
    await recorder.until(() => recorder.welcome);
    const sent = Array.from({ length: 50 }, () => command());
    const frames: number[] = [];
    const seen = bare.commands;
    for (const one of sent) recorder.session.send({ commands: [one] });
    await recorder.until(() => {
      frames.push(seen.length);
      return recorder.reports.length === 50;
    });
    // The bare location answers each frame with one frame: fifty reports came at once.
    expect(frames.filter((count) => count > 0)).toEqual([50]);
    expect(seen).toEqual(sent.map(({ attemptId }) => attemptId));
  });

  it("acknowledges the newest position of an attempt, however it was said in one tick", async () => {
    const bare = await location({ compute: () => [{ started: {} }, { finished: { outcome: "OUTCOME_SUCCEEDED" } }] });
    const recorder = new Recorder(client(bare.address));
    await recorder.until(() => recorder.welcome);
    const [rising, falling] = [command(), command()];
    recorder.session.send({ commands: [rising, falling] });
    await recorder.until(() => recorder.reports.length === 4);
    for (const [{ attemptId }, sequence] of [
      [rising, 1],
      [rising, 2],
      [falling, 2],
      [falling, 1],
    ] as const) {
      recorder.session.send({ acknowledgements: [{ attemptId, sequence }] });
    }
    recorder.session.send({ commands: [rising, falling] });
    await recorder.until(() => recorder.refused.length === 2);
    expect(bare.attempts.size).toBe(0);
  });

  it("resumes what another session began, and repeats nothing that was stored", async () => {
    const events = [
      { started: {} },
      { log: { stream: "LOG_STREAM_STDOUT", body: Buffer.from("hi") } },
      { finished: { outcome: "OUTCOME_SUCCEEDED" } },
    ];
    const bare = await location({ compute: () => events });
    const first = new Recorder(client(bare.address));
    await first.until(() => first.welcome);
    const sent = command();
    first.session.send({ commands: [sent] });
    await first.until(() => first.reports.length === 3);
    bare.dropSessions();
    const lost = await first.until(() => first.closed);
    expect(lost.error).toBeInstanceOf(LocationError);
    const second = new Recorder(client(bare.address), [{ attemptId: sent.attemptId, sequence: 1 }], 2);
    const held: HeldAttempt = { attemptId: sent.attemptId, runId: sent.runId, finished: true, sequence: 3 };
    expect((await second.until(() => second.welcome)).held).toEqual([held]);
    await second.until(() => second.reports.length === 2);
    expect(second.reports.map(({ sequence, kind }) => [sequence, kind])).toEqual([
      [2, "log"],
      [3, "finished"],
    ]);
    second.session.send({ commands: [sent] });
    second.session.send({ acknowledgements: [{ attemptId: sent.attemptId, sequence: 3 }], commands: [sent] });
    await second.until(() => second.refused.length > 0);
    expect(second.reports).toHaveLength(2);
  });

  it("hears of changed definitions without closing", async () => {
    const bare = await location();
    const asked = client(bare.address);
    const recorder = new Recorder(asked);
    await recorder.until(() => recorder.welcome);
    bare.setEntries(bareEntries().slice(0, 1));
    const hash = await recorder.until(() => recorder.hashes[0]);
    expect((await asked.manifest(""))?.definitionsHash).toBe(hash);
    expect(recorder.closed).toBeUndefined();
  });

  it("goes on after a malformed event, which costs its attempt alone", async () => {
    const attemptId = randomUUID();
    const good = encodeFrame({ batch: { events: [{ attemptId, sequence: 2, started: {} }] } });
    const event = encodeFrame({ batch: { events: [{ attemptId, sequence: 1, finished: { outcome: 31 } }] } });
    const bare = await location({ rawFrames: [event, good] });
    const recorder = new Recorder(client(bare.address));
    await recorder.until(() => recorder.reports.length === 2);
    expect(recorder.reports[0]).toMatchObject({
      attemptId,
      sequence: 1,
      finished: { outcome: "failed", error: { code: "report.malformed" } },
    });
    expect(recorder.reports[1]).toMatchObject({ attemptId, sequence: 2, kind: "started" });
    expect(recorder.closed).toBeUndefined();
  });

  it("closes with an error when a frame is no message", async () => {
    const bare = await location({ rawFrames: [Buffer.from([0x12, 0x7f, 1])] });
    const recorder = new Recorder(client(bare.address));
    const { error } = await recorder.until(() => recorder.closed);
    expect(error).toMatchObject({ code: "wire.unreadable" });
  });

  it("closes with an error when a frame is larger than 16 MiB", async () => {
    const attemptId = randomUUID();
    const body = Buffer.alloc(17 * 1_048_576);
    const bare = await location({
      rawFrames: [encodeFrame({ batch: { events: [{ attemptId, sequence: 1, log: { stream: 1, body } }] } })],
    });
    const recorder = new Recorder(client(bare.address));
    expect((await recorder.until(() => recorder.closed)).error).toMatchObject({ code: "location.refused" });
  });

  it("splits commands over several frames, and fails one alone that no instance could receive", async () => {
    const bare = await location();
    const recorder = new Recorder(client(bare.address));
    await recorder.until(() => recorder.welcome);
    const sent = [command(undefined, 100), command(undefined, 300), command(undefined, 100), command()];
    recorder.session.send({ commands: sent });
    await recorder.until(() => recorder.reports.length === 4);
    const failed = recorder.reports.filter(
      (report) => report.kind === "finished" && report.finished.outcome === "failed",
    );
    expect(failed).toMatchObject([
      { attemptId: sent[1]?.attemptId, finished: { error: { code: "command.too_large" } } },
    ]);
    expect(new Set(bare.commands).size).toBe(3);
  });

  it("closes when the instance has been silent for too many heartbeats", async () => {
    const bare = await location({ mute: true });
    const recorder = new Recorder(client(bare.address, { sessionTiming: { heartbeatMs: 20, silentBeatsMax: 3 } }));
    const { error } = await recorder.until(() => recorder.closed);
    expect(error).toMatchObject({ code: "location.silent" });
    expect(error?.message).toContain("has not answered hello for 60 ms");
  });

  it("stays open while it is paused, and delivers what came meanwhile once it is resumed", async () => {
    const bare = await location();
    const recorder = new Recorder(client(bare.address, { sessionTiming: { heartbeatMs: 20, silentBeatsMax: 3 } }));
    await recorder.until(() => recorder.welcome);
    recorder.session.pause();
    recorder.session.send({ commands: [command()] });
    const before = bare.heartbeats();
    await expect.poll(() => bare.heartbeats() - before).toBeGreaterThan(6);
    expect([recorder.reports, recorder.closed]).toEqual([[], undefined]);
    recorder.session.resume();
    await recorder.until(() => recorder.reports.length === 1);
    expect(recorder.closed).toBeUndefined();
  });

  it("tells nothing more once a handler has closed it, not even the rest of the frame", async () => {
    const attemptId = randomUUID();
    const refused = [{ attemptId, reason: "REASON_OLD_EPOCH" }];
    const frame = encodeFrame({
      batch: { events: [{ attemptId, sequence: 1, started: {} }], refused, definitionsHash: "h" },
    });
    const bare = await location({ rawFrames: [frame] });
    const told: string[] = [];
    await new Promise<void>((resolve) => {
      const session = client(bare.address).openSession(
        { daemonId: "daemon", nonce: 1, inFlight: [] },
        {
          welcome: () => told.push("welcome"),
          reports: () => {
            told.push("reports");
            session.close();
            resolve();
          },
          refused: () => told.push("refused"),
          credits: () => told.push("credits"),
          definitionsChanged: () => told.push("definitionsChanged"),
          closed: () => told.push("closed"),
        },
      );
    });
    expect(told).toEqual(["welcome", "reports", "closed"]);
  });

  it("says once that it is closed, and sends nothing afterwards", async () => {
    const bare = await location();
    const recorder = new Recorder(client(bare.address));
    await recorder.until(() => recorder.welcome);
    recorder.session.close();
    expect(recorder.closed).toEqual({ error: undefined });
    recorder.session.send({ commands: [command()] });
    recorder.session.close();
    const next = new Recorder(client(bare.address), [], 2);
    await next.until(() => next.welcome);
    expect(bare.commands).toEqual([]);
  });
});
