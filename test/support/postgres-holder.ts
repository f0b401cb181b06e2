// Started as a process by tests: holds the data folder given as argument until it is killed, and says so over IPC.
import { startEmbeddedPostgres } from "../../control-plane/src/storage/embedded-postgres.ts";

try {
  const { url, pid, adopted } = await startEmbeddedPostgres({ dataDir: process.argv[2] ?? "" });
  process.send?.({ url, pid, adopted });
  process.on("disconnect", () => process.exit());
} catch (error) {
  const { code, message, pid } = error as { code: string; message: string; pid?: number };
  process.send?.({ code, message, pid });
  process.disconnect();
}
