import { type CommandContext, print } from "../command-context.ts";
import { exitStatus } from "../exit-status.ts";
import { table } from "../table.ts";

export async function teamList(context: CommandContext): Promise<number> {
  const answer = await context.api.get("listTeams", "/teams");
  print(context, answer, () =>
    table(
      context.paint,
      ["TEAM", "ASSETS", "LOCATIONS", "CONTACTS", "ON CALL"],
      answer.items.map((team) => [
        team.team,
        String(team.assets),
        team.locations.join(", "),
        team.contacts.join(", "),
        team.oncallUrl ?? "",
      ]),
    ),
  );
  return exitStatus.succeeded;
}
