import { cleanText } from "./clean-text.ts";

/** Why a text cannot be the key of a partition, and how to mend it; `undefined` if it can. */
export function partitionKeyProblem(
  key: string,
  lengthMax: number,
): { readonly message: string; readonly hint: string } | undefined {
  const shown = JSON.stringify(key.length > 300 ? `${key.slice(0, 300)}…` : key);
  if (key === "") return { message: "a partition key is empty", hint: "give every partition a name" };
  if (key.length > lengthMax) {
    return { message: `partition key ${shown} is too long`, hint: `use at most ${lengthMax} characters` };
  }
  // Commas and ".." separate keys in a selection such as "a,c..f".
  if (key.includes(",") || key.includes("..") || key !== key.trim()) {
    return {
      message: `partition key ${shown} cannot be written in a selection`,
      hint: 'use no comma, no ".." and no space at the ends',
    };
  }
  if (/\p{Cc}/u.test(key) || cleanText(key) !== key) {
    return {
      message: `partition key ${shown} has characters that cannot be printed`,
      hint: "use printable characters",
    };
  }
  return undefined;
}

/** Characters of a key of a dynamic set: it may be one of several dimensions. */
export const dynamicKeyLengthMax = 128;

/** Keys that a dynamic set may have at once. */
export const dynamicKeysMax = 10_000;

/** As `partitionKeyProblem`, for a key of a dynamic set. */
export function dynamicKeyProblem(key: string): ReturnType<typeof partitionKeyProblem> {
  const problem = partitionKeyProblem(key, dynamicKeyLengthMax);
  if (problem !== undefined || !key.includes("=")) return problem;
  const message = `partition key ${JSON.stringify(key)} has a "="`;
  return { message, hint: "it would end the name of a dimension, as in region=eu,month=2001-02" };
}
