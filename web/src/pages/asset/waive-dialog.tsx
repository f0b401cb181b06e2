import { type FormEvent, useState } from "react";
import { Button } from "../../parts/button.tsx";
import { Dialog } from "../../parts/dialog.tsx";
import fields from "../../parts/field.module.css";
import { Problem } from "../../parts/notice.tsx";
import { useAction } from "../../parts/use-action.ts";
import type { Asset, Version } from "./shown-asset.ts";
import styles from "./asset-page.module.css";

const dayMs = 86_400_000;
const days = [
  ["1", "1 day"],
  ["7", "7 days"],
  ["30", "30 days"],
] as const;

/** Accepts a version although a check holds it back: with a reason, for a time, in the name of whoever does it. */
export function WaiveDialog(props: { readonly asset: Asset; readonly version: Version; readonly close: () => void }) {
  const { asset, version, close } = props;
  const holding = version.reasons.flatMap(({ check, team, message }) =>
    check === undefined || team === undefined ? [] : [{ check, team, message }],
  );
  const [chosen, setChosen] = useState(0);
  const [reason, setReason] = useState("");
  const [forDays, setForDays] = useState("7");
  const waive = useAction("createWaiver", close);
  const held = holding[chosen];
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const until = new Date(Date.now() + Number(forDays) * dayMs).toISOString();
    if (held === undefined) return;
    const { check, team } = held;
    waive.mutate({ params: { key: asset.key, id: version.id }, body: { check, team, reason, until } });
  };
  return (
    <Dialog open close={close} title={`Waive a check of ${asset.key} ${version.partition}`}>
      <form className={styles.form} onSubmit={submit}>
        <label>
          Check
          <select className={fields.field} value={chosen} onChange={(event) => setChosen(Number(event.target.value))}>
            {holding.map(({ check, team }, i) => (
              <option key={`${team} ${check}`} value={i}>
                {check} of {team}
              </option>
            ))}
          </select>
        </label>
        <p className={styles.muted}>{held?.message}</p>
        <label>
          Why this is acceptable
          <textarea
            className={fields.field}
            required
            rows={3}
            maxLength={2_000}
            value={reason}
            onChange={(event) => setReason(event.target.value)}
          />
        </label>
        <label>
          It ends by itself after
          <select className={fields.field} value={forDays} onChange={(event) => setForDays(event.target.value)}>
            {days.map(([value, text]) => (
              <option key={value} value={value}>
                {text}
              </option>
            ))}
          </select>
        </label>
        <p className={styles.muted}>
          Readers may then read this version. It is recorded with your name, and shown on every version made of it.
        </p>
        {waive.error === null ? null : <Problem error={waive.error} />}
        <div className={styles.buttons}>
          <Button onClick={close}>Keep the gate closed</Button>
          <Button type="submit" kind="primary" disabled={waive.isPending || held === undefined}>
            Waive
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
