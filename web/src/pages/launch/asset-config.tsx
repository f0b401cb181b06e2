import { useId } from "react";
import { classes } from "../../parts/classes.ts";
import fieldStyles from "../../parts/field.module.css";
import { Panel } from "../../parts/panel.tsx";
import type { ConfigField } from "./config-fields.ts";
import styles from "./launch-page.module.css";

/** The config of one asset of the run: its fields by its schema, empty where the default holds. */
export function AssetConfig(props: {
  readonly asset: string;
  readonly fields: readonly ConfigField[];
  readonly values: Readonly<Record<string, string>>;
  readonly errors: readonly { readonly path: string; readonly message: string }[];
  readonly change: (values: Readonly<Record<string, string>>) => void;
}) {
  const { asset, fields, values, errors, change } = props;
  return (
    <Panel title={`Config of ${asset}`}>
      <div className={styles.config}>
        {fields.map((field) => (
          <Field
            key={field.name}
            field={field}
            value={values[field.name] ?? ""}
            error={errors.find(({ path }) => path.endsWith(field.name))?.message}
            change={(text) => change({ ...values, [field.name]: text })}
          />
        ))}
      </div>
    </Panel>
  );
}

function Field(props: {
  readonly field: ConfigField;
  readonly value: string;
  readonly error: string | undefined;
  readonly change: (text: string) => void;
}) {
  const { field, value, error, change } = props;
  const { name, type, choices, required, hint, byDefault } = field;
  const id = useId();
  const common = {
    id,
    className: classes(fieldStyles.field, error !== undefined && fieldStyles.wrong),
    "aria-invalid": error !== undefined,
    "aria-describedby": `${id}-more`,
    value,
  };
  const options = type === "boolean" ? ["true", "false"] : choices;
  return (
    <div className={styles.field}>
      <label htmlFor={id}>
        {name}
        {required ? " *" : ""}
      </label>
      {type === "choice" || type === "boolean" ? (
        <select {...common} onChange={(event) => change(event.target.value)}>
          <option value="">{byDefault === "" ? "" : `${byDefault} (default)`}</option>
          {options.map((choice) => (
            <option key={choice} value={choice}>
              {choice}
            </option>
          ))}
        </select>
      ) : (
        <input
          {...common}
          inputMode={type === "number" ? "decimal" : "text"}
          placeholder={byDefault === "" ? type : `${byDefault} (default)`}
          spellCheck={false}
          onChange={(event) => change(event.target.value)}
        />
      )}
      <small id={`${id}-more`} className={error === undefined ? styles.muted : styles.error}>
        {error ?? hint}
      </small>
    </div>
  );
}
