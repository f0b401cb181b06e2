// Runs a command with HEADGATE_TEST_DATABASE_URL naming an ordinary Postgres that lives as long as the command:
// npx tsx test/support/with-ordinary-postgres.ts 15 npx vitest run --config test/vitest.config.ts test/storage
import { spawn } from "node:child_process";
import { once } from "node:events";
import { ordinaryPostgresFolder, startOrdinaryPostgres } from "./ordinary-postgres.ts";

const [major = "15", command = "", ...args] = process.argv.slice(2);
const folder = ordinaryPostgresFolder(Number(major));
if (folder === undefined)
  throw new Error(`Postgres ${major} is not installed; on Debian: apt-get install postgresql-${major}`);
const server = await startOrdinaryPostgres(folder);
try {
  const child = spawn(command, args, {
    stdio: "inherit",
    env: { ...process.env, HEADGATE_TEST_DATABASE_URL: server.url },
  });
  const [code] = (await once(child, "exit")) as [number | null];
  process.exitCode = code ?? 1;
} finally {
  await server.stop();
}
