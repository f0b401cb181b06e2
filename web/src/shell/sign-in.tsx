import { type FormEvent, useState } from "react";
import { keepToken, readToken } from "../settings/token.ts";
import { Button } from "../parts/button.tsx";
import { PageHeader } from "../parts/page-header.tsx";
import styles from "./sign-in.module.css";

/** Asks for the bearer token where the server wants one, and comes back to the same address. */
export function SignIn() {
  const [token, setToken] = useState("");
  const refused = readToken() !== undefined;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    keepToken(token.trim());
    location.reload();
  };
  return (
    <main className={styles.page}>
      <PageHeader title="Sign in" facts="This control plane asks for a token: one whose hash is in HEADGATE_TOKENS." />
      <form onSubmit={submit}>
        <label htmlFor="token">Token</label>
        <input
          id="token"
          type="password"
          autoComplete="current-password"
          required
          value={token}
          onChange={(event) => setToken(event.target.value)}
        />
        {refused ? <p role="alert">The server does not know the token that was given.</p> : null}
        <Button type="submit" kind="primary">
          Sign in
        </Button>
      </form>
    </main>
  );
}
