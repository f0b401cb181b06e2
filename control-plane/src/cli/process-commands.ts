/*
 * The commands that are a process of Headgate, or work without one. `main.ts` supplies them, each loaded when it is
 * called, so that the others start at once. Each returns the exit status.
 */

export interface DevCommand {
  readonly workspace: string;
  readonly port: number;
  /** The port was asked for by name: another one will not do. */
  readonly portAsked: boolean;
  readonly dataDir: string;
  readonly once: boolean;
}

export interface ApiCommand {
  readonly databaseUrl: string;
  readonly workspace: string;
  readonly host: string;
  readonly port: number;
  /** `HEADGATE_TOKENS`. */
  readonly tokens: string | undefined;
  /** `HEADGATE_HOSTS`: names, beside its own, under which a server on loopback may be addressed. */
  readonly hosts: readonly string[];
}

export interface DaemonCommand {
  readonly databaseUrl: string;
  readonly workspace: string;
}

export interface ServeCommand {
  readonly module: string;
  readonly host: string;
  readonly port: number;
  readonly locationName: string | undefined;
  readonly team: string | undefined;
  readonly watch: boolean;
  /** PEM files. */
  readonly tls: { readonly cert: string; readonly key: string; readonly ca?: string } | undefined;
}

export interface MigrateCommand {
  readonly databaseUrl: string;
  readonly mode: "apply" | "status" | "dryRun";
  readonly json: boolean;
}

export interface VerifyCommand {
  readonly databaseUrl: string | undefined;
  readonly dataDir: string;
  readonly json: boolean;
}

export interface ValidateCommand {
  readonly workspace: string;
  /** Where to write the definitions, for a later `diff --against`. */
  readonly out: string | undefined;
  readonly json: boolean;
}

export interface NewLocationCommand {
  readonly locationName: string;
  /** Default: the location's name. */
  readonly team: string | undefined;
  readonly workspace: string;
  /** Of this program. */
  readonly version: string;
  /** Runs `npm install` where a package that the location needs is lacking. */
  readonly install: boolean;
  readonly json: boolean;
}

export interface DiffCommand {
  /** A URL of a control plane, or a file of `validate --out`. */
  readonly against: string;
  readonly workspace: string;
  /** Compared alone; empty: all of the workspace, and what is in no location of it is gone. */
  readonly locations: readonly string[];
  readonly format: "text" | "markdown";
  readonly exitCode: boolean;
  readonly json: boolean;
}

export interface DoctorCommand {
  readonly workspace: string;
  readonly dataDir: string;
  readonly port: number;
  readonly json: boolean;
}

export interface TryCommand {
  readonly asset: string;
  readonly partition: string | undefined;
  readonly workspace: string;
  readonly dataDir: string;
  /** The control plane whose validated versions are read. */
  readonly url: string;
  readonly token: string | undefined;
  /** Reads what this attempt read. */
  readonly attempt: string | undefined;
  /** Starts under Node's debugger and stops before compute. */
  readonly inspect: boolean;
  readonly configFile: string | undefined;
  readonly settings: readonly string[];
  readonly json: boolean;
}

export interface ProcessCommands {
  dev(options: DevCommand): Promise<number>;
  api(options: ApiCommand): Promise<number>;
  daemon(options: DaemonCommand): Promise<number>;
  serve(options: ServeCommand): Promise<number>;
  migrate(options: MigrateCommand): Promise<number>;
  verify(options: VerifyCommand): Promise<number>;
  validate(options: ValidateCommand): Promise<number>;
  try(options: TryCommand): Promise<number>;
  newLocation(options: NewLocationCommand): Promise<number>;
  diff(options: DiffCommand): Promise<number>;
  doctor(options: DoctorCommand): Promise<number>;
}
