import { json, objectStore } from "@headgate/connections";
import { asset, definitions, env } from "@headgate/sdk";
import { note } from "../ledger.ts";
import { flour } from "../mill/contract.ts";

/** Needs nobody else. */
const tea = asset({
  key: "bakery/tea",
  compute: (_inputs, context) => {
    note("start", context);
    note("end", context);
    return "hot";
  },
});

const bread = asset({ key: "bakery/bread", deps: { flour }, compute: ({ flour }) => flour * 2 });

export default definitions({
  team: "bakery",
  io: json({ store: objectStore(env("HEADGATE_OBJECT_STORE")) }),
  assets: [tea, bread],
});
