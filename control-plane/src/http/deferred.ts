export interface Deferred {
  readonly promise: Promise<void>;
  resolve(): void;
}

/** A promise that is settled from outside (`Promise.withResolvers` needs Node 22). */
export function deferred(): Deferred {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((settle) => (resolve = settle));
  return { promise, resolve };
}
