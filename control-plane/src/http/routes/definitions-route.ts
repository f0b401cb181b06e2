import { readSnapshot } from "../../storage/stored-snapshot.ts";
import type { Handlers } from "../request.ts";

export const definitionsRoute: Pick<Handlers, "getDefinitions"> = {
  async getDefinitions(context) {
    const { format, version, locations, owners, keptEdges } = await readSnapshot(context.pool);
    return {
      format,
      version,
      locations: locations.map(({ name, team, definitions }) => ({
        name,
        team,
        definitions: definitions.map(({ definition, ...rest }) => ({
          ...rest,
          ...(definition === undefined ? {} : { definition: { ...definition } }),
        })),
      })),
      owners: [...owners],
      keptEdges: [...keptEdges],
    };
  },
};
