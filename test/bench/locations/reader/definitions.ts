// B8, the team downstream: its assets say when compute was entered.
import { asset, definitions, when } from "@headgate/sdk";
import { sourceSpecs, stepSpec } from "../source/contract.ts";

/** Unix milliseconds with a fraction, which Date.now() has not. */
const nowMs = (): number => performance.timeOrigin + performance.now();

const step = asset({
  key: "reader/step",
  deps: { upstream: stepSpec },
  compute: (_inputs, { metadata }) => metadata({ enteredAtMs: nowMs() }),
});

const reacting = sourceSpecs.map((upstream, n) =>
  asset({
    key: `reader/a${String(n).padStart(5, "0")}`,
    deps: { upstream },
    automation: when.onMissing(),
    compute: (_inputs, { metadata }) => metadata({ enteredAtMs: nowMs() }),
  }),
);

export default definitions({ team: "reader", assets: [step, ...reacting] });
