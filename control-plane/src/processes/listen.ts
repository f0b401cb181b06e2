import type { FastifyInstance } from "fastify";

const portsTried = 20;

/**
 * Listens on the port, or on the next free one when it was not asked for by name. Returns the port.
 *
 * @throws PortInUseError if it was asked for and is taken
 */
export async function listen(app: FastifyInstance, host: string, port: number, asked: boolean): Promise<number> {
  for (let candidate = port; ; candidate++) {
    try {
      await app.listen({ host, port: candidate });
      const address = app.server.address();
      return typeof address === "object" && address !== null ? address.port : candidate;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw error;
      if (asked || candidate - port >= portsTried) throw new PortInUseError(candidate);
    }
  }
}

export class PortInUseError extends Error {
  override readonly name = "PortInUseError";
  readonly code = "process.port_in_use";
  readonly hint = "Give another with --port, or end what listens there.";

  constructor(port: number) {
    super(`port ${port} is in use`);
  }
}

/** True for an address that only this machine can reach. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || host.startsWith("127.");
}
