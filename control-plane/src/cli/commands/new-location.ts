import { join } from "node:path";
import { installPackages, isInstalled, isLocked } from "../../scaffold/install-packages.ts";
import { ScaffoldError } from "../../scaffold/scaffold-error.ts";
import { scaffoldLocation } from "../../scaffold/scaffold-location.ts";
import { CliError } from "../cli-error.ts";
import { exitStatus } from "../exit-status.ts";
import type { NewLocationCommand } from "../process-commands.ts";

/** What a new location imports, and what tests it. */
const packages = ["@headgate/sdk", "@headgate/connections", "@types/node", "typescript", "vitest"];

/** Makes a code location with a test, and whatever it needs to be started. */
export async function newLocation(command: NewLocationCommand): Promise<number> {
  const { locationName, workspace, version, install, json } = command;
  const team = command.team ?? locationName;
  const { root, folder, made, changed } = await scaffoldLocation({
    locationName,
    team,
    workspace,
    version,
    env: process.env,
  }).catch((error: unknown) => {
    if (!(error instanceof ScaffoldError)) throw error;
    throw new CliError(error.code, error.message, error.hint, { cause: error });
  });
  const say = (text: string) => void (json ? process.stderr : process.stdout).write(text);
  for (const file of made) say(`made     ${file}\n`);
  for (const file of changed) say(`changed  ${file}\n`);
  const lacking = packages.filter((name) => !isInstalled(name, join(root, folder)));
  let installed = lacking.length === 0 && isLocked(root, folder);
  if (!installed && install) {
    say(lacking.length > 0 ? `Installing ${lacking.join(", ")}.\n` : "Adding it to package-lock.json.\n");
    installed = await installPackages(root);
    if (!installed) say(`npm install failed in ${root}. The files are there: mend what npm says, and run it again.\n`);
  }
  if (json) {
    process.stdout.write(
      `${JSON.stringify({ locationName, team, root, folder, made, changed, installed }, null, 2)}\n`,
    );
  }
  const place = root === process.cwd() ? "" : `cd ${root}\n  `;
  const next = [
    ...(installed ? [] : ["npm install"]),
    `npx headgate dev                           # its page shows the assets; edit ${folder}/definitions.ts and save`,
    `npx headgate materialize '${team}/*'        # in another terminal: computes and checks them again`,
    "npm test",
  ];
  say(`\nNext:\n  ${place}${next.join("\n  ")}\n`);
  return installed || !install ? exitStatus.succeeded : exitStatus.failed;
}
