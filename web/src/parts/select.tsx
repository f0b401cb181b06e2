import styles from "./field.module.css";

/** A choice among a few words; "" is none of them. The browser's own control: it works with every keyboard. */
export function Select(props: {
  readonly label: string;
  readonly value: string;
  readonly options: readonly (readonly [value: string, text: string])[];
  readonly choose: (value: string) => void;
}) {
  const { label, value, options, choose } = props;
  return (
    <select className={styles.field} aria-label={label} value={value} onChange={(event) => choose(event.target.value)}>
      {options.map(([each, text]) => (
        <option key={each} value={each}>
          {text}
        </option>
      ))}
    </select>
  );
}
