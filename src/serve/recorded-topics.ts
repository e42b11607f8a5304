/** What is known of a tape's topics: found once, completed as it is played, and shared by all who play it. */

/** A topic that the tape has messages of. */
export interface RecordedTopic {
  symbol: string;
  /** the book stream that its messages move; null where they move none, or none has come yet */
  stream: number | null;
  /** most levels its book was seen to have */
  levels: number;
}

/** By name. */
export type RecordedTopics = Map<string, RecordedTopic>;

/** The topic of that name, which is from now on known to be there. */
export function meetTopic(topics: RecordedTopics, name: string, symbol: string): RecordedTopic {
  let topic = topics.get(name);
  if (topic === undefined) {
    topic = { symbol, stream: null, levels: 0 };
    topics.set(name, topic);
  }
  return topic;
}

/** The deepest of a symbol's book streams that `has` says yes to; null where there is none. */
export function deepestStream(topics: RecordedTopics, symbol: string, has: (stream: number) => boolean): number | null {
  let deepest: number | null = null;
  let most = -1;
  for (const { symbol: of, stream, levels } of topics.values())
    if (of === symbol && stream !== null && levels > most && has(stream)) {
      deepest = stream;
      most = levels;
    }
  return deepest;
}

/** Symbols whose book is recorded at several depths. */
export function withSeveralBooks(topics: RecordedTopics): Set<string> {
  const first = new Map<string, number>();
  const several = new Set<string>();
  for (const { symbol, stream } of topics.values()) {
    if (stream === null) continue;
    if ((first.get(symbol) ?? stream) !== stream) several.add(symbol);
    first.set(symbol, stream);
  }
  return several;
}
