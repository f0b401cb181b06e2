import { type FormEvent, useState } from "react";
import { Button } from "../../parts/button.tsx";
import { Dialog } from "../../parts/dialog.tsx";
import fields from "../../parts/field.module.css";
import { Problem } from "../../parts/notice.tsx";
import { useAction } from "../../parts/use-action.ts";
import type { Version } from "./shown-asset.ts";
import styles from "./asset-page.module.css";

/** Takes the newest version of a partition out, so that the one before is the newest again. It can be restored. */
export function DiscardDialog(props: {
  readonly asset: string;
  readonly version: Version;
  readonly close: () => void;
}) {
  const { asset, version, close } = props;
  const [reason, setReason] = useState("");
  const discard = useAction("discardVersion", close);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    discard.mutate({ params: { key: asset, id: version.id }, body: { reason } });
  };
  return (
    <Dialog open close={close} title={`Discard the newest version of ${asset} ${version.partition}`}>
      <form className={styles.form} onSubmit={submit}>
        <p>Readers go back to the version before it. It can be restored.</p>
        <label>
          Why
          <textarea
            className={fields.field}
            required
            rows={3}
            maxLength={2_000}
            value={reason}
            onChange={(event) => setReason(event.target.value)}
          />
        </label>
        {discard.error === null ? null : <Problem error={discard.error} />}
        <div className={styles.buttons}>
          <Button onClick={close}>Keep it</Button>
          <Button type="submit" kind="danger" disabled={discard.isPending}>
            Discard
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
