/**
 * The folder that holds two places and all that sort between them: what they begin with in common, up to its last "/".
 * A place that stands alone is its own.
 */
export function commonPlace(first: string, last: string): string {
  if (first === last) return first;
  let length = 0;
  while (length < first.length && first[length] === last[length]) length++;
  const common = first.slice(0, length);
  return common.slice(0, common.lastIndexOf("/") + 1);
}
