/* eslint no-template-curly-in-string: off -- variables in the file that is read look like that */
import { describe, expect, it } from "vitest";
import { parseWorkspace } from "../../control-plane/src/workspace/parse-workspace.ts";
import { entriesWithLastGood, formatWorkspaceProblem } from "../../control-plane/src/workspace/workspace.ts";

const file = "/teams/workspace.yaml";
const parse = (text: string, env: Record<string, string> = {}) => parseWorkspace(text, file, env);
const problems = (text: string, env?: Record<string, string>) =>
  parse(text, env).problems.map((problem) => formatWorkspaceProblem(problem).replace(`${file}:`, ""));
const names = (text: string, env?: Record<string, string>) =>
  parse(text, env).entries.map(({ locationName }) => locationName);

/** Two good entries with something between them. */
const between = (item: string) =>
  [
    "load_from:",
    "  - module: { path: a, location_name: first }",
    item,
    "  - module: { path: b, location_name: last }",
  ].join("\n");

describe("a workspace.yaml that is right", () => {
  it("gives every entry and team with paths made absolute and defaults filled in", () => {
    const workspace = parse(
      `
teams:
  flights: { contacts: [flights@example.com], oncall_url: https://example.com/oncall, runbook: https://example.com/runbook }
  analytics: {}
load_from:
  - grpc_server: { host: 127.0.0.1, port: 4001, location_name: etl }
  - grpc_server:
      host: etl.internal
      port: "\${PORT:-4002}"
      location_name: etl-2
      team: etl
      tls: { ca: certs/ca.pem, cert: /etc/cert.pem, key: certs/key.pem }
      token_env: ETL_TOKEN
  - module: { path: code-locations/flights, location_name: flights }
  - module:
      path: ../other
      location_name: other
      team: analytics
      env: { LEVEL: 1.10, ON: true, WHO: "\${WHO}", LITERAL: "$\${WHO}" }
      env_file: .env
      database: OTHER_DATABASE_URL
      sidecars: [{ name: web, command: npm run web }]
`,
      { WHO: "me", ETL_TOKEN: "t", PORT: "" },
    );
    expect(workspace.problems).toEqual([]);
    expect(workspace).toMatchObject({
      readable: true,
      teams: {
        flights: {
          contacts: ["flights@example.com"],
          oncallUrl: "https://example.com/oncall",
          runbook: "https://example.com/runbook",
        },
        analytics: { contacts: [] },
      },
    });
    expect(workspace.entries).toEqual([
      { kind: "grpcServer", locationName: "etl", team: "etl", line: 6, host: "127.0.0.1", port: 4001 },
      {
        kind: "grpcServer",
        locationName: "etl-2",
        team: "etl",
        line: 7,
        host: "etl.internal",
        port: 4002,
        tls: { ca: "/teams/certs/ca.pem", cert: "/etc/cert.pem", key: "/teams/certs/key.pem" },
        tokenEnv: "ETL_TOKEN",
      },
      {
        kind: "module",
        locationName: "flights",
        team: "flights",
        line: 14,
        path: "/teams/code-locations/flights",
        env: {},
        sidecars: [],
      },
      {
        kind: "module",
        locationName: "other",
        team: "analytics",
        line: 15,
        path: "/other",
        env: { LEVEL: "1.10", ON: "true", WHO: "me", LITERAL: "${WHO}" },
        envFile: "/teams/.env",
        database: "OTHER_DATABASE_URL",
        sidecars: [{ name: "web", command: "npm run web" }],
      },
    ]);
  });
});

describe("a wrong entry is reported where it is, with a remedy, and the others load", () => {
  it.each([
    [
      "a misspelt kind",
      "  - grpc_serve: { host: h, port: 1, location_name: bad }",
      '3:5: unknown entry "grpc_serve" in load_from (did you mean grpc_server?)',
    ],
    [
      "a kind like no other",
      "  - docker: { image: x }",
      '3:5: unknown entry "docker" in load_from (use one of: grpc_server, module)',
    ],
    [
      "a misspelt key",
      "  - grpc_server: { hots: h, host: h, port: 1, location_name: bad }",
      '3:20: grpc_server: unknown key "hots" (did you mean host?)',
    ],
    ["a missing key", "  - module: { location_name: bad }", "3:13: module has no path (add path)"],
    ["no location name", "  - module: { path: x }", "3:13: module has no location_name (add location_name)"],
    [
      "a port that is none",
      "  - grpc_server: { host: h, port: 70000, location_name: bad }",
      '3:35: grpc_server: port is "70000" (it must be a port, 1 to 65535)',
    ],
    [
      "a host with a port",
      "  - grpc_server: { host: h/x, port: 1, location_name: bad }",
      '3:26: grpc_server: host is "h/x" (it must be a host name or an IP address, without a port)',
    ],
    [
      "a name with a capital",
      "  - module: { path: x, location_name: Bad }",
      '3:39: module: location_name is "Bad" (it must be 1 to 63 of a to z, 0 to 9, _ and -, beginning with a letter or a digit)',
    ],
    [
      "a list for a text",
      "  - module: { path: [x], location_name: bad }",
      "3:21: module: path is not a text (write one value for module: path)",
    ],
    [
      "an item that is a text",
      "  - code-locations/bad",
      "3:5: an entry of load_from is not a map (write an entry of load_from as keys and values)",
    ],
    [
      "keys that lack their indent",
      "  - module:\n    path: x\n    location_name: bad",
      '3:5: an entry of load_from has several keys: module, path, location_name (indent what belongs to it, and begin each entry with "- ")',
    ],
    [
      "a key given twice",
      "  - module: { path: x, path: y, location_name: bad }",
      "3:24: a key is given twice (keep one of them)",
    ],
    [
      "a variable that is not set",
      '  - module: { path: "${WHERE}/x", location_name: bad }',
      "3:21: module: path: the environment variable WHERE is not set (set WHERE, or write ${WHERE:-default})",
    ],
    [
      "a token that is not set",
      "  - grpc_server: { host: h, port: 1, location_name: bad, token_env: TOKEN }",
      "3:69: grpc_server: token_env: the environment variable TOKEN is not set (set TOKEN, or remove token_env)",
    ],
    [
      "half of a key pair",
      "  - grpc_server: { host: h, port: 1, location_name: bad, tls: { cert: c.pem } }",
      "3:63: tls has a cert but no key (add key, or remove cert)",
    ],
    [
      "an environment that is a list",
      "  - module: { path: x, location_name: bad, env: [A] }",
      "3:49: env is not a map (write env as keys and values)",
    ],
    [
      "a sidecar without a command",
      "  - module: { path: x, location_name: bad, sidecars: [{ name: web }] }",
      "3:55: a sidecar has no command (add command)",
    ],
    [
      "a name that is taken",
      "  - module: { path: x, location_name: first }",
      "3:5: the location first is already loaded by line 2 (give it another location_name)",
    ],
  ])("%s", (_, item, problem) => {
    expect(problems(between(item))).toEqual([problem]);
    expect(names(between(item))).toEqual(["first", "last"]);
  });

  it("says everything that is wrong with one entry at once, and whose it is", () => {
    const { problems: found } = parse(between("  - grpc_server: { hots: h, port: x, location_name: bad }"));
    expect(found.map(({ message, locationName }) => [locationName, message])).toEqual([
      ["bad", "grpc_server has no host"],
      ["bad", 'grpc_server: unknown key "hots"'],
      ["bad", 'grpc_server: port is "x"'],
    ]);
  });
});

describe("teams and top level", () => {
  it("leave out what is wrong and keep the rest", () => {
    const text = `
teams:
  Flights: {}
  etl: { contact: [a] }
  web: { oncall_url: nowhere }
  ml: { contacts: [ml@example.com] }
load_form: []
load_from:
  - module: { path: a, location_name: first }
`;
    expect(problems(text)).toEqual([
      '3:3: teams: "Flights" is no name of a team (it must be 1 to 63 of a to z, 0 to 9, _ and -, beginning with a letter or a digit)',
      '4:10: team etl: unknown key "contact" (did you mean contacts?)',
      '5:22: team web: oncall_url is "nowhere" (it must be a URL that begins with https:// or http://)',
      '7:1: workspace.yaml: unknown key "load_form" (did you mean load_from?)',
    ]);
    expect(parse(text).teams).toEqual({ ml: { contacts: ["ml@example.com"] } });
    expect(names(text)).toEqual(["first"]);
  });

  it.each([
    ["an empty file", "", "1:1: workspace.yaml is not a map (write workspace.yaml as keys and values)"],
    ["no load_from", "teams: {}", "1:1: workspace.yaml has no load_from (add load_from)"],
    [
      "a map for the list",
      "load_from: { module: {} }",
      '1:12: load_from is not a list (begin each item of load_from with "- ")',
    ],
  ])("report %s", (_, text, problem) => {
    expect(problems(text)).toEqual([problem]);
  });
});

describe("a file that is not YAML", () => {
  it("is said to be unreadable rather than empty, with the place", () => {
    const text =
      "load_from:\n  - module: { path: a, location_name: first\n  - module: { path: b, location_name: last }\n";
    const workspace = parse(text);
    expect(workspace).toMatchObject({ readable: false, entries: [] });
    expect(workspace.problems[0]).toMatchObject({ code: "workspace.invalid_yaml", line: 3 });
  });

  it("is told to quote a variable inside braces", () => {
    const text = "load_from:\n  - grpc_server: { host: h, port: ${PORT}, location_name: bad }\n";
    expect(parse(text).problems[0]).toMatchObject({ line: 2, hint: 'quote a variable inside braces: "${NAME}"' });
  });

  it("does not hang on a text beyond all measure or on aliases of aliases", () => {
    expect(parse("#".repeat(1_000_001))).toMatchObject({ readable: false });
    const bomb = ["a: &a [x,x,x,x,x,x,x,x,x]"];
    for (let i = 0; i < 20; i++)
      bomb.push(
        `b${String(i)}: &b${String(i)} [${Array(9)
          .fill(i === 0 ? "*a" : `*b${String(i - 1)}`)
          .join(",")}]`,
      );
    expect(parse([...bomb, "load_from: *b19"].join("\n")).problems.length).toBeGreaterThan(20);
  });
});

describe("after a change", () => {
  const good = parse(between("  - module: { path: x, location_name: middle }"));
  const run = (text: string) => entriesWithLastGood(good.entries, parse(text)).map(({ locationName }) => locationName);

  it("an entry that became wrong goes on as it was, one that is gone is gone, a broken file changes nothing", () => {
    expect(run(between("  - module: { pathh: x, location_name: middle }"))).toEqual(["first", "last", "middle"]);
    expect(run(between(""))).toEqual(["first", "last"]);
    expect(run("load_from: [")).toEqual(["first", "middle", "last"]);
  });
});

describe("the run queue", () => {
  const queue = (text: string) => parse(`queue:\n${text}\nload_from: []\n`);

  it("has no limits and equal shares where the file says nothing", () => {
    expect(parse("load_from: []").queue).toEqual({ teams: {}, tagLimits: [] });
  });

  it("gives limits in all, for teams and for tags, and weights", () => {
    const text = [
      "  max_runs: 50",
      "  teams: { flights: { weight: 2, max_runs: 20 }, ml: { weight: 0.5 }, etl: { max_runs: 3 } }",
      "  tag_limits:",
      "    - { key: backfill, limit: 4 }",
      "    - { key: source, value: erp, limit: 1 }",
      "    - { key: customer, per_value: true, limit: 2 }",
    ].join("\n");
    expect(queue(text)).toMatchObject({ problems: [] });
    expect(queue(text).queue).toEqual({
      maxRuns: 50,
      teams: { flights: { weight: 2, maxRuns: 20 }, ml: { weight: 0.5 }, etl: { weight: 1, maxRuns: 3 } },
      tagLimits: [
        { key: "backfill", perValue: false, limit: 4 },
        { key: "source", value: "erp", perValue: false, limit: 1 },
        { key: "customer", perValue: true, limit: 2 },
      ],
    });
  });

  it.each([
    ["  max_runs: 0", '2:13: queue: max_runs is "0" (it must be a whole number, 1 to 999999)'],
    ["  maxruns: 5", '2:3: queue: unknown key "maxruns" (did you mean max_runs?)'],
    ["  teams: { Flights: { weight: 2 } }", '2:12: queue: teams: "Flights" is no name of a team (it must be'],
    ["  teams: { flights: { weight: 0 } }", '2:31: queue: team flights: weight is "0" (it must be a number above 0'],
    ["  tag_limits: [{ key: backfill }]", "2:16: queue: a tag limit has no limit (add limit)"],
    [
      "  tag_limits: [{ key: a, value: b, per_value: true, limit: 1 }]",
      "a tag limit has both value and per_value (leave",
    ],
  ])("that is wrong is a problem with its place, and not read: %s", (text, problem) => {
    const { queue: rules, problems: found } = queue(text);
    expect(rules).toBeUndefined();
    expect(found.map(formatWorkspaceProblem).join("\n")).toContain(problem);
  });
});
