const storedAs = "headgate.token";

/** The bearer token of this browser, where the server asks for one; kept until the browser's session ends. */
export function readToken(): string | undefined {
  return sessionStorage.getItem(storedAs) ?? undefined;
}

export function keepToken(token: string | undefined): void {
  if (token === undefined) sessionStorage.removeItem(storedAs);
  else sessionStorage.setItem(storedAs, token);
}
