import type { Command } from "commander";
import { CliError } from "./cli-error.ts";
import { example } from "./command-words.ts";
import type { ProcessCommands, ServeCommand } from "./process-commands.ts";
import type { Terminal } from "./terminal.ts";

export const workspace = ["--workspace <file>", "workspace.yaml", "workspace.yaml"] as const;
export const dataDir = ["--data-dir <folder>", "where dev keeps its database and objects", ".headgate"] as const;

export function portNumber(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new CliError("cli.bad_port", `${text} is no port.`, "A port is a whole number from 0 to 65535.");
  }
  return port;
}

interface ServeFlags {
  readonly host: string;
  readonly port: number;
  readonly locationName?: string;
  readonly team?: string;
  readonly watch?: boolean;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly tlsCa?: string;
}

function tlsFiles({ tlsCert: cert, tlsKey: key, tlsCa: ca }: ServeFlags): ServeCommand["tls"] {
  if (cert === undefined && key === undefined && ca === undefined) return undefined;
  if (cert !== undefined && key !== undefined) return { cert, key, ...(ca === undefined ? {} : { ca }) };
  throw new CliError("cli.tls_incomplete", "TLS needs --tls-cert and --tls-key.", "Give both, as PEM files.");
}

/** As `pg` reads it: a URL, whose host may be left out for a socket, or the path of a socket. */
function isDatabaseUrl(url: string): boolean {
  return url.startsWith("/") || URL.canParse(url.replace("@/", "@localhost/"));
}

/** Commands that are a process of Headgate, or work without one. */
export function addProcessCommands(
  program: Command,
  processes: ProcessCommands,
  terminal: Terminal,
  ended: (status: number) => void,
): void {
  const databaseUrl = (): string => {
    const url = terminal.env["HEADGATE_DATABASE_URL"];
    const hint =
      "For example HEADGATE_DATABASE_URL=postgres://headgate@127.0.0.1/headgate; `headgate dev` brings its own.";
    if (url !== undefined && url !== "") {
      if (isDatabaseUrl(url)) return url;
      // Not quoted: it holds a password.
      throw new CliError("cli.bad_database_url", "HEADGATE_DATABASE_URL is no URL of a Postgres.", hint);
    }
    throw new CliError("cli.no_database", "HEADGATE_DATABASE_URL is not set.", hint);
  };
  program
    .command("dev")
    .description("everything in one process tree: embedded Postgres, control plane, the workspace's locations")
    .option(...workspace)
    .option("--port <port>", "of the API and its page (default: 3000, or the next that is free)", portNumber)
    .option(...dataDir)
    .option("--once", "wait until nothing is left to do, print the summary, stop; ends like materialize")
    .addHelpText("after", example("dev --workspace workspace.yaml"))
    .action(async (options: { workspace: string; port?: number; dataDir: string; once?: boolean }) => {
      const { port, once = false, ...rest } = options;
      ended(await processes.dev({ ...rest, port: port ?? 3_000, portAsked: port !== undefined, once }));
    });
  program
    .command("api")
    .description("the HTTP API, on the Postgres of HEADGATE_DATABASE_URL")
    .option(...workspace)
    .option("--host <address>", "another than loopback needs HEADGATE_TOKENS", "127.0.0.1")
    .option("--port <port>", "of the API", portNumber, 3_000)
    .addHelpText("after", example("api --host 0.0.0.0 --port 3000"))
    .action(async (options: { workspace: string; host: string; port: number }) => {
      const hosts = (terminal.env["HEADGATE_HOSTS"] ?? "").split(/[\s,]+/).filter((host) => host !== "");
      const tokens = terminal.env["HEADGATE_TOKENS"] || undefined;
      ended(await processes.api({ ...options, databaseUrl: databaseUrl(), tokens, hosts }));
    });
  program
    .command("daemon")
    .description("the loops that drive runs and load locations, on the Postgres of HEADGATE_DATABASE_URL")
    .option(...workspace)
    .addHelpText("after", example("daemon --workspace workspace.yaml"))
    .action(async (options: { workspace: string }) => {
      ended(await processes.daemon({ ...options, databaseUrl: databaseUrl() }));
    });
  program
    .command("serve <module>")
    .description("serve a code location: a folder with a definitions.ts, or such a file")
    .option("--host <address>", "to listen on", "127.0.0.1")
    .option("--port <port>", "to listen on; 0: any free one", portNumber, 4_000)
    .option("--location-name <name>", "default: the folder's name")
    .option("--team <team>", "default: the team that the definitions name")
    .option("--watch", "load the code again when a file changes")
    .option("--tls-cert <file>", "PEM; with --tls-key: serve TLS")
    .option("--tls-key <file>", "PEM")
    .option("--tls-ca <file>", "PEM; callers need a certificate of it")
    .addHelpText("after", example("serve code-locations/flights --port 4001"))
    .action(async (module: string, options: ServeFlags) => {
      const { host, port, locationName, team, watch = false } = options;
      ended(await processes.serve({ module, host, port, locationName, team, watch, tls: tlsFiles(options) }));
    });
  program
    .command("migrate")
    .description("bring the schema of HEADGATE_DATABASE_URL up to date")
    .option("--status", "what is applied and what is not; changes nothing")
    .option("--dry-run", "what would be applied; changes nothing")
    .option("--json", "the answer as JSON")
    .addHelpText("after", example("migrate --status"))
    .action(async (options: { status?: boolean; dryRun?: boolean; json?: boolean }) => {
      const mode = options.status === true ? "status" : options.dryRun === true ? "dryRun" : "apply";
      ended(await processes.migrate({ databaseUrl: databaseUrl(), mode, json: options.json === true }));
    });
  addVerifyCommand(program, processes, terminal, ended);
  addNewCommands(program, processes, ended);
}

function addNewCommands(program: Command, processes: ProcessCommands, ended: (status: number) => void): void {
  program
    .command("new")
    .description("make something to begin with")
    .command("location <name>")
    .description("a code location with an asset, a check, a test and a Dockerfile, and its entry in workspace.yaml")
    .option(...workspace)
    .option("--team <team>", "that owns what it defines; default: the location's name")
    .option("--no-install", "do not run npm install where a package is lacking")
    .option("--json", "the answer as JSON")
    .addHelpText("after", example("new location orders"))
    .action(
      async (locationName: string, options: { workspace: string; team?: string; install: boolean; json?: boolean }) => {
        const { workspace: file, team, install, json = false } = options;
        const version = program.version() ?? "";
        ended(await processes.newLocation({ locationName, team, workspace: file, version, install, json }));
      },
    );
}

function addVerifyCommand(
  program: Command,
  processes: ProcessCommands,
  terminal: Terminal,
  ended: (status: number) => void,
): void {
  program
    .command("verify")
    .description("recompute every invariant from the history: 0 all hold, 1 names the first violation of each")
    .option(...dataDir)
    .option("--json", "the answer as JSON")
    .addHelpText("after", example("verify"))
    .action(async ({ dataDir: folder, json = false }: { dataDir: string; json?: boolean }) => {
      const url = terminal.env["HEADGATE_DATABASE_URL"] || undefined;
      ended(await processes.verify({ databaseUrl: url, dataDir: folder, json }));
    });
}
