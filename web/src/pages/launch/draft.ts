/** What is about to be launched, as it was typed. */
export interface Draft {
  readonly selection: string;
  readonly partitions: string;
  /** Fields as text, by asset key, then by name; a field that is not there takes its default. */
  readonly config: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly whenOpen: boolean;
}

const storedAs = "headgate.launch";
export const emptyDraft: Draft = { selection: "", partitions: "", config: {}, whenOpen: false };

/** The draft of this browser: a page that is left by mistake loses nothing. */
export function readDraft(): Draft {
  try {
    return { ...emptyDraft, ...(JSON.parse(sessionStorage.getItem(storedAs) ?? "{}") as Partial<Draft>) };
  } catch {
    return emptyDraft;
  }
}

export function keepDraft(draft: Draft): void {
  sessionStorage.setItem(storedAs, JSON.stringify(draft));
}
