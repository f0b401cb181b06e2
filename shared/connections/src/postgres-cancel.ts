import { connect } from "node:net";
import type pg from "pg";

const cancelRequestCode = 80_877_102;
const answerTimeoutMs = 2_000;

/**
 * Asks the server to cancel what a connection is at (the CancelRequest of the protocol: process id and secret of the
 * connection, in the clear as in libpq before 17). Never throws: whoever asks closes the connection anyway.
 */
export async function cancelQuery(client: pg.ClientBase): Promise<void> {
  const { host, port, processID, secretKey } = client as unknown as CancelKey;
  if (processID === null || secretKey === null) return;
  const request = Buffer.alloc(16);
  request.writeInt32BE(request.length, 0);
  request.writeInt32BE(cancelRequestCode, 4);
  request.writeInt32BE(processID, 8);
  request.writeInt32BE(secretKey, 12);
  await new Promise<void>((resolve) => {
    const socket = host.startsWith("/") ? connect(`${host}/.s.PGSQL.${port}`) : connect(port, host);
    socket.setTimeout(answerTimeoutMs, () => socket.destroy());
    // The server closes the connection once it has acted.
    socket.once("close", () => resolve());
    socket.on("error", () => socket.destroy());
    socket.resume();
    socket.end(request);
  });
}

/** What pg keeps of the server's greeting. */
interface CancelKey {
  readonly host: string;
  readonly port: number;
  readonly processID: number | null;
  readonly secretKey: number | null;
}
