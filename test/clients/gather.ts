/** What a client calls back with, gathered until there is enough of it. */

export interface Gathered<T> {
  readonly all: readonly T[];
  push(one: T): void;
  /** resolves once there are so many; rejects with what `fail` was told, then or before */
  atLeast(count: number): Promise<readonly T[]>;
  fail(error: unknown): void;
}

export function gather<T>(): Gathered<T> {
  const all: T[] = [];
  const waiting = new Set<{ count: number; resolve: (all: T[]) => void; reject: (error: unknown) => void }>();
  let failure: { error: unknown } | null = null;
  const look = (): void => {
    for (const one of waiting) {
      if (all.length < one.count && failure === null) continue;
      waiting.delete(one);
      if (failure === null) one.resolve(all);
      else one.reject(failure.error);
    }
  };
  return {
    all,
    push(one) {
      all.push(one);
      look();
    },
    fail(error) {
      failure ??= { error };
      look();
    },
    atLeast: (count) =>
      new Promise((resolve, reject) => {
        waiting.add({ count, resolve, reject });
        look();
      }),
  };
}

/** Clients that log to stdout by themselves are told to log here. */
export const silent = { trace: (): void => {}, info: (): void => {}, error: (): void => {} };
