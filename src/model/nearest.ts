/** Guesses what a person meant by a word that does not exist. */

/** The word of `words` nearest to a mistyped one, or null when none is near. */
export function nearest(word: string, words: readonly string[]): string | null {
  let best: string | null = null;
  let bestDistance = Math.max(1, Math.floor(word.length / 3)) + 1;
  for (const candidate of words) {
    const distance =
      candidate.startsWith(word) && word.length >= 2
        ? Math.min(1, editDistance(word, candidate))
        : editDistance(word, candidate);
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** Insertions, deletions, replacements and swaps of neighbours that turn `a` into `b`. */
export function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      next[j] = Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        next[j] = Math.min(next[j], before[j - 2] + 1);
    }
    before = row;
    row = next;
  }
  return row[b.length];
}

/** `; did you mean 'x'?` for the nearest word, case aside, or nothing where none is near. */
export function didYouMean(word: string, words: readonly string[]): string {
  const near = nearest(
    word.toLowerCase(),
    words.map((candidate) => candidate.toLowerCase()),
  );
  const meant = words.find((candidate) => candidate.toLowerCase() === near);
  return meant === undefined ? '' : `; did you mean '${meant}'?`;
}
