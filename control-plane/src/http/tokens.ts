import { createHash, timingSafeEqual } from "node:crypto";

/** Whose token it is and for which teams it may waive and discard; the token itself is not kept. */
export interface ApiToken {
  readonly name: string;
  /** Absent: for every team. */
  readonly teams?: readonly string[];
  readonly sha256: Buffer;
}

/** Who asks for something. */
export interface Actor {
  readonly name: string;
  /** Absent: may act for every team. */
  readonly teams?: readonly string[];
}

export class TokensError extends Error {
  override readonly name = "TokensError";
  readonly code = "tokens.invalid";
  readonly hint =
    "write HEADGATE_TOKENS as name:sha256hex, or name@team+team:sha256hex to act for these teams only, with commas; " +
    "`printf %s TOKEN | sha256sum` prints the hash";
}

/**
 * Reads `HEADGATE_TOKENS`: `ci@flights:<sha256 of the token in hex>,admin:<...>`.
 *
 * @throws TokensError (code `tokens.invalid`) for anything else; the message quotes no hash
 */
export function parseTokens(text: string): readonly ApiToken[] {
  const entries = text.split(/[\s,]+/).filter((entry) => entry !== "");
  return entries.map((entry, i) => {
    const match = /^([A-Za-z0-9_.-]{1,100})(?:@([a-z0-9_+-]{1,500}))?:([0-9a-fA-F]{64})$/.exec(entry);
    if (match === null) throw new TokensError(`entry ${i + 1} of HEADGATE_TOKENS is not name:sha256hex`);
    const [, name = "", teams, hash = ""] = match;
    return {
      name,
      ...(teams === undefined ? {} : { teams: teams.split("+") }),
      sha256: Buffer.from(hash, "hex"),
    };
  });
}

/** The owner of a token. Every entry is compared, in constant time. */
export function actorOfToken(tokens: readonly ApiToken[], presented: string): Actor | undefined {
  const hash = createHash("sha256").update(presented).digest();
  let found: Actor | undefined;
  for (const { name, teams, sha256 } of tokens) {
    if (timingSafeEqual(hash, sha256)) found ??= { name, ...(teams === undefined ? {} : { teams }) };
  }
  return found;
}

export function mayActFor(actor: Actor, team: string): boolean {
  return actor.teams === undefined || actor.teams.includes(team);
}
