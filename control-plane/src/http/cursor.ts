import { Problem } from "./problem.ts";

/** Positions travel as opaque text: base64url of JSON. */
export function encodeCursor(position: unknown): string {
  return Buffer.from(JSON.stringify(position)).toString("base64url");
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

function decode(text: string): unknown {
  try {
    return JSON.parse(Buffer.from(text, "base64url").toString("utf8"));
  } catch {
    return undefined;
  }
}

function refused(): Problem {
  return new Problem("request.invalid", "`after` is not a cursor of this list.", "Pass on `next` as it was answered.");
}

/** @throws Problem if the text is no cursor of this kind; undefined stays undefined */
export function idCursor(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const position = decode(text);
  if (typeof position !== "string" || !uuid.test(position)) throw refused();
  return position;
}

export function numberCursor(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const position = decode(text);
  if (typeof position !== "number" || !Number.isSafeInteger(position) || position < 0) throw refused();
  return position;
}

/** An index into a list, which must fit a Postgres integer. */
export function indexCursor(text: string | undefined): number | undefined {
  const position = numberCursor(text);
  if (position !== undefined && position > 2_147_483_647) throw refused();
  return position;
}

export function keyCursor(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const position = decode(text);
  if (typeof position !== "string") throw refused();
  return position;
}

export function numbersCursor(text: string | undefined, length: number): readonly number[] | undefined {
  if (text === undefined) return undefined;
  const position = decode(text);
  const fits = (n: unknown): boolean => typeof n === "number" && Number.isSafeInteger(n) && n >= 0;
  if (!Array.isArray(position) || position.length !== length || !position.every(fits)) throw refused();
  const numbers = position as number[];
  if (numbers.slice(0, -1).some((n) => n > 2_147_483_647)) throw refused();
  return numbers;
}
