import type { ReactNode } from "react";
import { Button } from "../../parts/button.tsx";
import { PageHeader } from "../../parts/page-header.tsx";
import { Panel } from "../../parts/panel.tsx";
import { type Settings, changeSettings, useSettings } from "../../settings/settings.ts";
import { keepToken, readToken } from "../../settings/token.ts";
import styles from "./settings-page.module.css";

/** What a person may choose for this browser. */
export function SettingsPage() {
  const settings = useSettings();
  return (
    <>
      <PageHeader title="Settings" facts="They are kept in this browser." />
      <Panel title="Appearance">
        <Choice
          name="theme"
          label="Theme"
          of={settings}
          options={[
            ["system", "As the system"],
            ["light", "Light"],
            ["dark", "Dark"],
          ]}
        />
        <Choice
          name="density"
          label="Density"
          of={settings}
          options={[
            ["compact", "Compact"],
            ["comfortable", "Comfortable"],
          ]}
        />
        <Choice
          name="times"
          label="Times"
          of={settings}
          options={[
            ["local", "In the zone of this computer"],
            ["utc", "In UTC"],
          ]}
        />
      </Panel>
      <Panel title="Keyboard">
        <label className={styles.check}>
          <input
            type="checkbox"
            checked={settings.letterKeys}
            onChange={(event) => changeSettings({ letterKeys: event.target.checked })}
          />
          Keys of one letter, such as <kbd>g</kbd> <kbd>h</kbd>. Switch them off if you dictate.
        </label>
      </Panel>
      {readToken() === undefined ? null : <SignedIn />}
    </>
  );
}

function SignedIn(): ReactNode {
  const signOut = () => {
    keepToken(undefined);
    location.reload();
  };
  return (
    <Panel title="Access">
      <div className={styles.check}>
        This tab has a token. <Button onClick={signOut}>Sign out</Button>
      </div>
    </Panel>
  );
}

function Choice<K extends "theme" | "density" | "times">(props: {
  readonly name: K;
  readonly label: string;
  readonly of: Settings;
  readonly options: readonly (readonly [Settings[K], string])[];
}) {
  const { name, label, of, options } = props;
  return (
    <fieldset className={styles.choice}>
      <legend>{label}</legend>
      {options.map(([value, text]) => (
        <label key={value}>
          <input
            type="radio"
            name={name}
            checked={of[name] === value}
            onChange={() => changeSettings({ [name]: value })}
          />
          {text}
        </label>
      ))}
    </fieldset>
  );
}
