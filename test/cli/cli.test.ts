import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, createServer } from "node:net";
import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Answer, ApiFixture, julyFails } from "../http/api-fixture.ts";
import { type TerminalOptions, command, headgate } from "./run-command.ts";

describe("the command line against a running control plane", () => {
  let api: ApiFixture;
  let url: string;
  const cli = (args: readonly string[], options?: TerminalOptions) => command(url, args, options);

  beforeAll(async () => {
    api = await ApiFixture.open();
    url = await api.app.listen({ host: "127.0.0.1", port: 0 });
    await api.run("flights/*", "2001-01..2001-02,2001-07");
  });
  afterAll(() => api.close());

  /** Plays whatever is launched while `work` runs. */
  async function whilePlaying<T>(work: Promise<T>): Promise<T> {
    let done = false;
    const playing = (async () => {
      const stop = new AbortController();
      const topics = { runs: none, assets: none, locations: none, kinds: new Set(["run_queued"]) };
      void work.finally(() => {
        done = true;
        stop.abort();
      });
      for await (const _item of api.events.follow(0, topics, stop.signal)) if (!done) await api.drive.playAll();
    })();
    const result = await work;
    await playing;
    return result;
  }
  const none = new Set<string>();

  it("follows a run with a line an event, and ends with 0 when it succeeded", async () => {
    const { status, out, err } = await whilePlaying(
      cli(["materialize", "flights/raw_flights", "--partition", "2001-03"]),
    );
    expect(err).toBe("");
    expect(status).toBe(0);
    expect(out).toMatch(/^Run [0-9a-f-]{36}: 1 step\n/);
    expect(out).toMatch(/\d\d:\d\d:\d\d {2}step leased {2}flights\/raw_flights 2001-03\n/);
    expect(out).toMatch(/step succeeded {2}flights\/raw_flights 2001-03\n/);
    expect(out).toMatch(/Run [0-9a-f-]{36} succeeded in .+: 1 succeeded\n$/);
  });

  it.each([
    [["run", "show", "nope"], "it is no id"],
    [["materialize", ""], "say which assets"],
    [["materialize", "flights/airports", "--partitions", ""], "leave it out for every one"],
    [["materialize", "flights/airports", "--priority", "high"], "it must be a whole number"],
  ])("refuses %j with 2, in words", async (args, words) => {
    const { status, err } = await cli(args);
    expect(status).toBe(2);
    expect(err).toContain(words);
  });

  it("ends with 3 when blocked, and shows check, figures, version, run, owner and the commands that open it", async () => {
    const { status, out } = await whilePlaying(
      cli(["materialize", "analytics/route_delays", "--partitions", "2001-07"]),
    );
    const version = await api.newestVersion("flights/raw_flights", "2001-07");
    expect(status).toBe(3);
    const summary = out.slice(out.lastIndexOf("\nBlocked\n"));
    expect(summary).toContain("analytics/route_delays 2001-07");
    expect(summary).toContain("enough_rows failed: fewer rows than 10,000 a day · 6 observed, 310,000 needed");
    expect(summary).toContain(`version ${version.id}, made by run ${version.run}`);
    expect(summary).toContain("owner: team flights (flights@example.com, on call: https://example.com/oncall");
    expect(summary).toContain(`npx headgate waive flights/raw_flights@${version.id} --check enough_rows --reason`);
    expect(summary).toContain("npx headgate materialize flights/raw_flights --partition 2001-07");
    expect(out.split("\n").length).toBeLessThan(40);
  });

  it("ends with 1 when a step failed, and lists it apart with the command for its logs", async () => {
    api.say = () => ({ threw: "the file is gone" });
    const { status, out } = await whilePlaying(cli(["materialize", "flights/airports"]));
    api.say = julyFails;
    expect(status).toBe(1);
    expect(out).toMatch(/Failed\n {2}flights\/airports\n {4}the file is gone \(compute.threw\)\n/);
    expect(out).toMatch(/npx headgate run logs [0-9a-f-]{36} --step 0/);
  });

  it("ends with 4 when the run was canceled", async () => {
    const launched = await cli(["materialize", "flights/airports", "--detach", "--json"]);
    const { id } = JSON.parse(launched.out);
    expect((await cli(["run", "cancel", id])).status).toBe(0);
    const again = cli(["run", "retry", id]);
    const { id: retry } = await newestRun((run) => run.retryOf === id);
    await api.post(`/api/v1/runs/${retry}/cancel`);
    const { status, out } = await again;
    expect(status).toBe(4);
    expect(out).toContain("canceled");
  });

  async function newestRun(fits: (run: Answer) => boolean): Promise<Answer> {
    const stop = new AbortController();
    for await (const _item of api.events.follow(0, undefined, stop.signal)) {
      const found = (await api.get("/api/v1/runs")).json.items.find(fits);
      if (found !== undefined) return found;
    }
    throw new Error("the feed ended");
  }

  it("ends with 2 and says how to mend it when the control plane refuses", async () => {
    const { status, out, err } = await cli(["materialize", "flights/raw_flihgts"]);
    expect([status, out]).toEqual([2, ""]);
    expect(err).toContain("flights/raw_flihgts");
    expect(err).toContain("flights/raw_flights");
    const json = await cli(["materialize", "flights/raw_flihgts", "--json"]);
    expect(JSON.parse(json.err)).toMatchObject({
      code: "asset.unknown",
      hint: expect.stringContaining("flights/raw_flights"),
    });
  });

  it.each([
    [["materialize"], "missing required argument"],
    [["materialize", "flights/*", "--partion", "x"], "unknown option"],
    [["waive", "flights/raw_flights"], "--reason"],
    [["run", "show"], "missing required argument"],
    [["nonsense"], "unknown command"],
    [["materialize", "flights/airports", "--set", "nonsense"], "asset.field=value"],
    [["waive", "flights/raw_flights@x", "--reason", "r", "--until", "soon"], "--until soon"],
  ])("ends with 2 on bad usage: %j", async (args, said) => {
    const { status, err } = await cli(args);
    expect(status).toBe(2);
    expect(err).toContain(said);
  });

  it("detaches at Ctrl-C, says how to cancel, and leaves the run alone", async () => {
    let press: () => void = () => undefined;
    const interrupt = new Promise<void>((resolve) => (press = resolve));
    const following = cli(["materialize", "flights/airports", "--tag", "test=detach"], { interrupt });
    const { id } = await newestRun((run) => run.tags.test === "detach");
    press();
    const { status, err } = await following;
    expect(status).toBe(130);
    expect(err).toContain(`npx headgate run cancel ${id}`);
    expect((await api.get(`/api/v1/runs/${id}`)).json.state).toBe("queued");
    await api.drive.playAll();
  });

  it("redraws a compact block on a terminal, and leaves only the summary behind", async () => {
    const { out } = await whilePlaying(
      cli(["materialize", "flights/raw_flights", "--partitions", "2001-01..2001-03"], { interactive: true }),
    );
    expect(out).toContain("3 waiting");
    const left = out.slice(out.lastIndexOf("\u001b[J") + 3);
    expect(left).toMatch(/^Run [0-9a-f-]{36} succeeded in .+: 3 succeeded\n$/);
  });

  it("sends config from a file and settings, and tags", async () => {
    const file = join(tmpdir(), `headgate-config-${process.pid}.yaml`);
    await writeFile(file, "flights/airports:\n  depth: 2\n  name: from file\n");
    const { out } = await cli([
      "materialize",
      "flights/airports",
      "--config",
      file,
      ...["--set", "flights/airports.name=from=setting", "--set", "flights/airports.limit=5"],
      ...["--tag", "team=ml", "--detach", "--json"],
    ]);
    expect(JSON.parse(out)).toMatchObject({
      config: { "flights/airports": { depth: 2, name: "from=setting", limit: 5 } },
      tags: { team: "ml" },
    });
    await api.drive.playAll();
  });

  it("does a launch once for one idempotency key", async () => {
    const args = ["materialize", "flights/airports", "--detach", "--json", "--idempotency-key", "nightly-1"];
    const [first, second] = [await cli(args), await cli(args)];
    expect(JSON.parse(first.out).id).toBe(JSON.parse(second.out).id);
    await api.drive.playAll();
  });

  it("tells why in a short tree to the root cause, in words", async () => {
    await api.run("flights/clean_flights or analytics/route_delays", "2001-07");
    const { status, out } = await cli(["why", "analytics/route_delays", "--partition", "2001-07"]);
    expect(status).toBe(0);
    const version = await api.newestVersion("flights/raw_flights", "2001-07");
    expect(out.split("\n").slice(0, 7)).toEqual([
      "analytics/route_delays 2001-07 is blocked",
      "└─ reads flights/clean_flights",
      "   └─ reads flights/raw_flights 2001-07",
      "      └─ check enough_rows failed: fewer rows than 10,000 a day · 6 observed, 310,000 needed",
      `         version ${version.id}`,
      `         made by run ${version.run}`,
      "         owner: team flights (flights@example.com, on call: https://example.com/oncall, runbook: https://example.com/runbook)",
    ]);
    expect(out).toContain("What opens it\n");
    expect(out).toMatch(/Decided .+ ago for run [0-9a-f-]{36}, step 1\./);
    expect(
      JSON.parse((await cli(["why", "analytics/route_delays", "--partition", "2001-07", "--json"])).out),
    ).toMatchObject({
      status: "blocked",
      computed: false,
    });
  });

  it("shows both ends of a way upstream that is too long to be read", async () => {
    const path = Array.from({ length: 20_000 }, (_, i) => `flights/step_${i}`);
    const { app } = api;
    const said = (await app.inject({ url: "/api/v1/why/analytics%2Froute_delays?partition=2001-07" })).json();
    const server = createHttpServer((_request, response) => {
      const [first] = said.reasons;
      const reasons = [{ ...first, path: ["analytics/route_delays", ...path, "flights/raw_flights"] }];
      response.setHeader("content-type", "application/json").end(JSON.stringify({ ...said, reasons }));
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const { status, out } = await command(`http://127.0.0.1:${port}`, ["why", "analytics/route_delays"]);
    server.close();
    expect(status).toBe(0);
    expect(out.split("\n").filter((line) => line.includes("└─"))).toHaveLength(22);
    expect(out).toContain("└─ reads flights/step_0\n");
    expect(out).toContain("└─ … 19981 more …\n");
    expect(out).toContain("└─ reads flights/raw_flights 2001-07\n");
  });

  it("plans, and ends with 3 on request if anything would be blocked", async () => {
    const args = ["plan", "analytics/route_delays", "--partitions", "2001-01,2001-07"];
    const { status, out } = await cli(args);
    expect(status).toBe(0);
    expect(out).toContain("2 steps: 1 would run, 0 would wait, 1 would be blocked");
    expect((await cli([...args, "--exit-code"])).status).toBe(3);
    expect((await cli(["plan", "flights/raw_flights", "--partitions", "2001-01", "--exit-code"])).status).toBe(0);
  });

  it("runs the waive line of a blocked message as printed, lists the waiver and revokes it", async () => {
    const { out } = await cli(["why", "flights/raw_flights", "--partition", "2001-07"]);
    const line = /npx headgate (waive .+)/.exec(out)?.[1] ?? "";
    const args = [...line.matchAll(/"([^"]*)"|(\S+)/g)].map((match) => match[1] ?? match[2] ?? "");
    const waived = await cli(args);
    expect(waived.err).toBe("");
    expect(waived.status).toBe(0);
    const id = /waiver revoke (\S+)/.exec(waived.out)?.[1] ?? "";
    expect((await cli(["waiver", "list"])).out).toContain(id);
    expect((await cli(["why", "flights/raw_flights", "--partition", "2001-07"])).out).toContain("is open, by waiver");
    expect((await cli(["asset", "versions", "flights/raw_flights", "--partition", "2001-07"])).out).toContain("waived");
    expect((await cli(["waiver", "revoke", id])).status).toBe(0);
    expect((await cli(["waiver", "list"])).out).not.toContain(id);
    expect((await cli(["waiver", "list", "--all"])).out).toContain(id);
    expect((await cli(["audit", "list", "--action", "waiver.revoke", "--json"])).out).toContain(id);
  });

  it("discards the newest version of a partition and restores it", async () => {
    const discarded = await cli([
      "asset",
      "discard",
      "flights/raw_flights",
      "--partition",
      "2001-01",
      "--reason",
      "test",
    ]);
    const restore = /npx headgate (asset restore \S+)/.exec(discarded.out)?.[1]?.split(" ") ?? [];
    expect((await cli(["asset", "versions", "flights/raw_flights"])).out).toContain("discarded by ada: test");
    expect((await cli(restore)).out).toContain("is back: passed");
  });

  it("lists and shows, in a table or as JSON", async () => {
    expect((await cli(["asset", "list"])).out).toMatch(/^ASSET +TEAM +STATUS +PARTITIONS\n/);
    expect((await cli(["asset", "show", "flights/raw_flights"])).out).toContain("check enough_rows (blocking)");
    expect((await cli(["check", "list", "flights/raw_flights"])).out).toContain("enough_rows");
    expect((await cli(["location", "list"])).out).toContain("analytics");
    expect((await cli(["location", "show", "analytics"])).out).toContain("analytics/broken");
    expect((await cli(["location", "reload", "flights"])).status).toBe(0);
    expect((await cli(["team", "list"])).out).toContain("flights@example.com");
    const runs = JSON.parse((await cli(["run", "list", "--json", "--limit", "2"])).out).items;
    expect(runs).toHaveLength(2);
    const show = JSON.parse((await cli(["run", "show", runs[0].id, "--json"])).out);
    expect(show).toMatchObject({ id: runs[0].id, failed: [], blocked: expect.any(Array) });
    expect((await cli(["run", "events", runs[0].id])).out).toContain("run queued");
  });

  it("prints the logs of a run, of one asset, and follows them to the end", async () => {
    const run = await api.run("flights/raw_flights", "2001-05..2001-06");
    const all = await cli(["run", "logs", run]);
    expect(all.out).toBe(
      "[flights/raw_flights 2001-05] made flights/raw_flights 2001-05\n[flights/raw_flights 2001-06] made flights/raw_flights 2001-06\n",
    );
    const one = await cli(["run", "logs", run, "--step", "flights/raw_flights", "--partition", "2001-06", "--follow"]);
    expect(one.out).toContain("made flights/raw_flights 2001-06\n");
    expect(one.out).not.toContain("2001-05");
    expect((await cli(["run", "logs", run, "--stderr"])).out).toBe("");
    expect((await cli(["run", "logs", run, "--step", "flights/typo"])).status).toBe(2);
  });

  it("runs a check of a version that exists, and ends as materialize does", async () => {
    const version = await api.newestVersion("flights/raw_flights", "2001-07");
    const args = ["check", "run", "flights/raw_flights", "enough_rows", "--version", version.id];
    const { status, err, out } = await whilePlaying(cli([...args, "--partitions", "2001-07"]));
    expect([status, err]).toEqual([0, ""]);
    expect(out).toContain("enough_rows failed");
  });

  it("prints an example under the help of every command", async () => {
    const names = async (args: string[]): Promise<string[][]> => {
      const { out } = await cli([...args, "--help"]);
      const commands = /\nCommands:\n([\s\S]*?)(\n\n|$)/.exec(out)?.[1] ?? "";
      const children = [...commands.matchAll(/^ {2}([a-z-]+)/gm)]
        .map((match) => match[1] ?? "")
        .filter((name) => name !== "help");
      return children.length === 0
        ? [args]
        : (await Promise.all(children.map((name) => names([...args, name])))).flat();
    };
    const leaves = await names([]);
    expect(leaves.length).toBeGreaterThan(25);
    for (const leaf of leaves) {
      const { status, out } = await cli([...leaf, "--help"]);
      expect(status).toBe(0);
      expect(out, leaf.join(" ")).toContain(`Example:\n  npx headgate ${leaf.join(" ")}`);
    }
  });

  it("goes on where it was when the connection to the control plane breaks", async () => {
    const launched = cli(["materialize", "flights/raw_flights", "--partition", "2001-04", "--tag", "test=broken"]);
    await newestRun((run) => run.tags.test === "broken");
    api.app.server.closeAllConnections();
    const { status, out } = await whilePlaying(launched);
    expect(status).toBe(0);
    expect(out.match(/step succeeded/g)).toHaveLength(1);
  });
});

describe("the command line as a process", () => {
  it("ends with 2 when nothing answers, and says what to start", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    await new Promise((closed) => server.close(closed));
    const { status, out, err } = await headgate(url, ["asset", "list"]).said;
    expect([status, out]).toEqual([2, ""]);
    expect(err).toContain(`No control plane answers at ${url} (ECONNREFUSED).`);
    expect(err).toContain("npx headgate dev");
    expect(err).toContain("HEADGATE_URL");
  });

  it("writes all of a long answer to a pipe before it ends", async () => {
    const api = await ApiFixture.open();
    const url = await api.app.listen({ host: "127.0.0.1", port: 0 });
    for (let i = 0; i < 60; i++) await api.post("/api/v1/runs", { selection: "flights/* or analytics/*" });
    const { status, out } = await headgate(url, ["run", "list", "--limit", "1000", "--json"]).said;
    await api.close();
    expect(status).toBe(0);
    expect(JSON.parse(out).items).toHaveLength(60);
    expect(out.length).toBeGreaterThan(30_000);
  });

  it("detaches at SIGINT", async () => {
    const api = await ApiFixture.open();
    const url = await api.app.listen({ host: "127.0.0.1", port: 0 });
    const { child, said } = headgate(url, ["materialize", "flights/airports"]);
    await new Promise<void>((resolve) => {
      let text = "";
      child.stdout?.on("data", (chunk) => {
        text += String(chunk);
        if (text.includes("run queued")) resolve();
      });
    });
    child.kill("SIGINT");
    const { status, err } = await said;
    await api.close();
    expect(status).toBe(130);
    expect(err).toContain("npx headgate run cancel");
  });

  it("refuses a database URL that is none, without quoting the password in it", async () => {
    const url = "postgres://headgate:hunter22@secret@:bad:/headgate";
    for (const args of [["migrate"], ["api"], ["daemon"]]) {
      const { status, out, err } = await command("http://127.0.0.1:1", args, { env: { HEADGATE_DATABASE_URL: url } });
      expect(status).toBe(2);
      expect(out + err).toContain("HEADGATE_DATABASE_URL is no URL of a Postgres.");
      expect(out + err).not.toContain("hunter22");
    }
  });
});
