/*
 * Terms that a click puts at the end of a selection, joined by `and`. Only the end is looked at: the language itself is
 * the control plane's to read.
 */

const needsQuotes = /[^A-Za-z0-9_./-]/;

function written(term: string): string {
  const colon = term.indexOf(":") + 1;
  const value = term.slice(colon);
  return needsQuotes.test(value) ? `${term.slice(0, colon)}"${value}"` : term;
}

/** Of `a or b` a further term must hold for both. */
function grouped(selection: string): string {
  return /\bor\b/.test(selection) && !/^\(.*\)( and .*)?$/.test(selection) ? `(${selection})` : selection;
}

export function hasTerm(selection: string, term: string): boolean {
  return selection.split(/ and /).includes(written(term));
}

export function withTerm(selection: string, term: string, on: boolean): string {
  const word = written(term);
  if (on) return selection.trim() === "" ? word : `${grouped(selection.trim())} and ${word}`;
  const rest = selection
    .split(/ and /)
    .filter((part) => part !== word)
    .join(" and ");
  return /^\([^()]*\)$/.test(rest) ? rest.slice(1, -1) : rest;
}
