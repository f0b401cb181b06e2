// The one file that `headgate serve code-locations/etl` loads.
import { definitions } from "@headgate/sdk";
import { cleanData } from "./assets/clean-data.ts";
import { doNotCleanData } from "./assets/do-not-clean-data.ts";
import { doOtherOperation } from "./assets/do-other-operation.ts";
import { prepareTable } from "./assets/prepare-table.ts";
import { pullData } from "./assets/pull-data.ts";
import { pullOtherData } from "./assets/pull-other-data.ts";
import { saveToPostgres } from "./assets/save-to-postgres.ts";
import { returnsWrongType } from "./assets/returns-wrong-type.ts";
import { cleanDataNoNulls, doNotCleanDataNoNulls, noDuplicates, schema } from "./checks.ts";
import { io } from "./resources.ts";

export default definitions({
  team: "etl",
  io,
  assets: [
    prepareTable,
    pullData,
    cleanData,
    saveToPostgres,
    pullOtherData,
    doNotCleanData,
    doOtherOperation,
    returnsWrongType,
  ],
  checks: [cleanDataNoNulls, noDuplicates, schema, doNotCleanDataNoNulls],
});
