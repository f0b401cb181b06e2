import { availableParallelism } from "node:os";
import { basename } from "node:path";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import { CodeLocationService } from "@headgate/proto";
import { HealthImplementation } from "grpc-health-check";
import { cacheFolder } from "../load/cache-folder.ts";
import { locationSources } from "../load/load-location.ts";
import type { LoadedLocation } from "../load/load-location.ts";
import { pruneBundles } from "../load/prune-bundles.ts";
import { Instance } from "./instance.ts";
import { locationMethods } from "./location-methods.ts";
import type { Manifest } from "./manifest.ts";
import { reflectionService } from "./reflection.ts";
import type { ServedLocation, ServeOptions } from "./serve-options.ts";
import { ServedCode } from "./served-code.ts";
import { tlsFiles } from "./tls-files.ts";
import { WatchedCertificates } from "./watched-certificates.ts";

const messageSizeBytesMax = 16_777_216;
const closeDeadlineMs = 30_000;
const serviceName = "headgate.v1.CodeLocation";

/**
 * Serves a code location: loads its definitions, starts its worker processes, listens for daemons. User code runs in
 * the workers alone, so that whatever it does the health check is answered.
 *
 * @throws Error if there is no location at `module`, the port is taken, or a TLS file cannot be read
 */
export async function serve(options: ServeOptions): Promise<ServedLocation> {
  const sources = locationSources(options.module);
  const credentials = serverCredentials(options.tls);
  const alone = new AloneTimer(options.exitWhenAloneMs, () => void stop(served, 0));
  const instance = new Instance(
    options.workers ?? workersDefault(),
    () => alone.sessions(instance.sessionCount),
    // The bundle may have been removed under us: loading writes it again.
    () => void code.reload(),
  );
  const loaded = (location: LoadedLocation, manifest: Manifest): void => {
    if (location.bundle !== undefined) instance.use(location.bundle);
    else if (!hasRun) instance.refuseSteps(location.problems.map(({ error }) => error.message).join(" "));
    hasRun ||= location.bundle !== undefined;
    instance.announce(manifest.hash);
  };
  const code = new ServedCode(sources, loaded, options);
  let hasRun = false;
  await code.reload();
  if (options.watch) code.watch();
  // An untidy cache is no reason not to serve.
  pruneBundles(cacheFolder(sources.folder), Date.now()).catch(() => {});
  const health = new HealthImplementation({ "": "SERVING", [serviceName]: "SERVING" });
  const identity = {
    locationName: options.locationName ?? basename(sources.folder),
    team: options.team,
    token: options.token ?? (process.env["HEADGATE_LOCATION_TOKEN"] || undefined),
  };
  const server = new Server({
    "grpc.max_receive_message_length": messageSizeBytesMax,
    "grpc.max_send_message_length": messageSizeBytesMax,
    // A half-open connection is noticed by the daemon's heartbeat; this frees what it held here.
    "grpc.keepalive_time_ms": 30_000,
  });
  server.addService(CodeLocationService, locationMethods(identity, code, instance));
  health.addToServer(server);
  reflectionService().addToServer(server);
  const port = await bind(server, options, credentials, async () => {
    code.close();
    await instance.close();
  });
  alone.sessions(0);
  let closing: Promise<void> | undefined;
  const close = async (deadlineMs: number): Promise<void> => {
    health.setStatus("", "NOT_SERVING");
    health.setStatus(serviceName, "NOT_SERVING");
    code.close();
    alone.cancel();
    instance.drain();
    await settled(instance, deadlineMs);
    await instance.close();
    server.forceShutdown();
  };
  const served: ServedLocation = {
    port,
    instanceId: instance.id,
    missingVariables: code.missingVariables,
    close: (given) => (closing ??= close(given?.deadlineMs ?? closeDeadlineMs)),
  };
  if (options.signals ?? true) endOnSignals(served);
  return served;
}

function workersDefault(): number {
  const given = Number(process.env["HEADGATE_WORKERS"]);
  return Number.isSafeInteger(given) && given > 0 ? given : Math.max(2, availableParallelism());
}

async function bind(
  server: Server,
  options: ServeOptions,
  credentials: ServerCredentials,
  failed: () => Promise<void>,
): Promise<number> {
  const host = options.host ?? "127.0.0.1";
  const address = `${host.includes(":") ? `[${host}]` : host}:${options.port ?? 4_000}`;
  try {
    return await new Promise<number>((resolve, reject) => {
      server.bindAsync(address, credentials, (error, port) => (error ? reject(error) : resolve(port)));
    });
  } catch (error) {
    await failed();
    const words = error instanceof Error ? error.message : String(error);
    throw new Error(`The location cannot listen on ${address}: ${words}. Free the port, or give another with --port.`, {
      cause: error,
    });
  }
}

function serverCredentials(given: ServeOptions["tls"]): ServerCredentials {
  const files = tlsFiles(given, process.env);
  return files === undefined ? ServerCredentials.createInsecure() : new WatchedCertificates(files).credentials();
}

/** Resolves when every attempt has ended and was acknowledged, or at the deadline. */
async function settled(instance: Instance, deadlineMs: number): Promise<void> {
  const deadline = performance.now() + deadlineMs;
  while (instance.heldCount > 0 && performance.now() < deadline) {
    await Promise.race([
      instance.nextChange(),
      new Promise((resolve) => setTimeout(resolve, deadline - performance.now())),
    ]);
  }
}

function endOnSignals(served: ServedLocation): void {
  // A location outlives the process that started it, to end the steps that it runs; its broken pipes must not end it.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => void stop(served, 0));
}

async function stop(served: ServedLocation, exitCode: number): Promise<void> {
  await served.close();
  process.exit(exitCode);
}

/** Ends a location that nobody talks to any more. */
class AloneTimer {
  readonly #afterMs: number | undefined;
  readonly #alone: () => void;
  #timer: NodeJS.Timeout | undefined;

  constructor(afterMs: number | undefined, alone: () => void) {
    this.#afterMs = afterMs;
    this.#alone = alone;
  }

  sessions(count: number): void {
    if (this.#afterMs === undefined) return;
    if (count > 0) this.cancel();
    else this.#timer ??= setTimeout(this.#alone, this.#afterMs);
  }

  cancel(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
