/** Which connections bring a topic and since when, so that the end of one costs only what no other one brought throughout. */
import type { Gap, GapReason, Micros } from '../model/entry.js';
import type { TradeUnion } from './trade-union.js';

/**
 * What tells one message of a topic from another: ids that show every loss (`chain`), ids that only grow (`order`), or
 * nothing (`none`): readers follow one connection there, and nobody can say what is missing or doubled where they change it.
 */
export type Identity = 'chain' | 'order' | 'none';

/** One open socket as far as it concerns a link. */
export interface Leg {
  conn: string;
  openedT: Micros;
  /** when all that was asked for had been acked; 0 before that */
  subscribedT: Micros;
}

/** What the connections of one plan bring for one src. */
export interface Link {
  channels: string[];
  /** they bring all channels of the src, so a loss may concern every stream */
  whole: boolean;
  topics: TopicCover[];
  /** open sockets, the oldest first */
  legs: Leg[];
  /** newest message by any of them, the first opening before any; 0 before that */
  lastT: Micros;
  /** something that was asked for was refused, and no socket was opened since */
  isRefused: boolean;
  /** nothing of it comes since a loss: the next message of any of its topics ends that */
  isOut: boolean;
}

/** The gap a lost connection leaves, written before the next message: only then is the interval known. */
export interface Owed {
  from: Micros;
  reason: GapReason;
}

/** One topic of a link. */
export interface TopicCover {
  channel: string;
  /** it may be silent for as long as the market likes */
  isQuiet: boolean;
  identity: Identity;
  /** its updates make the book, as far as they have come: of several depths one is followed */
  book: boolean;
  /** its messages by each open socket, the first to bring any first */
  carried: Map<string, Carried>;
  owed: Owed | null;
  /** `t` of the newest gap entry of what was owed */
  toldT: Micros;
  trades: TradeUnion;
}

export interface Carried {
  firstT: Micros;
  lastT: Micros;
}

/** A message of a topic came at `t`. */
export function carry(link: Link, topic: TopicCover, conn: string, t: Micros): void {
  link.lastT = t;
  const carried = topic.carried.get(conn);
  if (carried === undefined) topic.carried.set(conn, { firstT: t, lastT: t });
  else carried.lastT = t;
}

/**
 * Takes a socket out of its link and notes what is owed for it: gaps of what no other one brings.
 * @param untilT the socket was known to work until then, if not longer by its messages
 * @param reason what gaps will say; null where none are told
 * @param follows whether readers of a topic without ids followed this socket
 * @returns gaps that are over: of the topics that another one brings, though not with the very next message, as far as can be proven
 */
export function end(
  link: Link,
  conn: string,
  untilT: Micros,
  reason: GapReason | null,
  follows: (topic: TopicCover) => boolean,
): Gap[] {
  const at = link.legs.findIndex((leg) => leg.conn === conn);
  if (at < 0) return [];
  link.legs.splice(at, 1);
  let lastT = 0;
  for (const { carried } of link.topics) lastT = Math.max(lastT, carried.get(conn)?.lastT ?? 0);
  const told: Gap[] = [];
  const missing: TopicCover[] = [];
  for (const topic of link.topics) {
    const carried = topic.carried.get(conn);
    const wasFollowed = follows(topic);
    topic.carried.delete(conn);
    const { channel: stream, identity } = topic;
    if (isCovered(link, topic, Math.max(untilT, lastT))) {
      if (wasFollowed && identity === 'none' && carried !== undefined)
        told.push({ stream, from: carried.lastT, reason: 'handover' });
    } else if (reason !== null && isCovered(link, topic, Number.MAX_SAFE_INTEGER))
      // it came too late to tell whether anything lies between
      told.push({ stream, from: lastT === 0 ? link.lastT : lastT, reason });
    else missing.push(topic);
  }
  if (reason === null) return [];
  link.isOut ||= missing.length === link.topics.length;
  for (const topic of missing) topic.owed ??= { from: link.isOut || lastT === 0 ? link.lastT : lastT, reason };
  return told;
}

/**
 * An attempt to open a socket failed: where none was open before, all of it is missing since the recorder's start, although nobody
 * else can tell that from a market in which nothing happens.
 */
export function unreached(link: Link, beganT: Micros): void {
  if (link.lastT > 0) return;
  link.isOut = true;
  for (const topic of link.topics) topic.owed ??= { from: beganT, reason: 'disconnect' };
}

/** Whether an open socket brings the topic and did so by `untilT`; where ids show every loss, since when is no question. */
export function isCovered(link: Link, topic: TopicCover, untilT: Micros): boolean {
  return link.legs.some((leg) => {
    const since = sinceOf(topic, leg);
    return topic.identity === 'chain' ? since < Number.POSITIVE_INFINITY : since <= untilT;
  });
}

/** Data proves a subscription, and that it was in force when it was acked; an ack alone proves that of a topic that may be silent. */
function sinceOf(topic: TopicCover, { conn, subscribedT }: Leg): Micros {
  const acked = subscribedT > 0 ? subscribedT : Number.POSITIVE_INFINITY;
  const carried = topic.carried.get(conn);
  if (carried !== undefined) return Math.min(carried.firstT, acked);
  return topic.isQuiet ? acked : Number.POSITIVE_INFINITY;
}

/** Takes what is owed, now that a message of the topic comes (null: that the recording ends); of all topics where all were missing. */
export function settle(link: Link, topic: TopicCover | null): Gap[] {
  const ended = topic === null || link.isOut ? link.topics : [topic];
  if (topic === null || link.isOut) link.isOut = false;
  const gaps: Gap[] = [];
  for (const one of ended) {
    if (one.owed === null) continue;
    gaps.push({ stream: one.channel, ...one.owed });
    one.owed = null;
    // a hole in the ids right behind this gap is in it
    one.trades.forgive();
  }
  const [first] = gaps;
  const isOne = link.whole && gaps.length === link.topics.length && gaps.every((gap) => sameInterval(gap, first));
  return isOne ? [{ ...first, stream: '*' }] : gaps;
}

const sameInterval = (a: Gap, b: Gap): boolean => a.from === b.from && a.reason === b.reason;
