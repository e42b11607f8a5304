/** Whether an open connection still lives: by its messages, by its data, and where both may be rare by the answers to our pings. */

/** What is to be done about a connection now: nothing, ask it for a sign of life, or give it up. */
export type Judgement = 'well' | 'ask' | 'gone';

/** All times are monotonic ms. */
export interface Vigil {
  opened(nowMs: number): void;
  /** any message came */
  message(nowMs: number): void;
  /** market data came, at the newest message */
  data(): void;
  /** a protocol-level ping or pong came */
  sign(nowMs: number): void;
  judge(nowMs: number): Judgement;
}

/** Where a market may be quiet for long, an acknowledgement at least comes within this. */
const FIRST_WORD_MS = 10_000;
/** There, a connection on which nothing came for this long is asked, and given up where no answer comes for as long again. */
const ASK_MS = 15_000;
/**
 * Data that has come once and is missing for so long, while the venue goes on answering pings, is asked for on a new connection.
 * The time doubles with each, so that a market which really is this quiet does not lose its data again and again.
 */
const DATA_MS = 120_000;
const MOST_DATA_MS = 16 * DATA_MS;

/** @param silenceMs of the plan: no message for so long is a loss; null where the market decides */
export function createVigil(silenceMs: number | null): Vigil {
  let openedMs = 0;
  let messageMs = 0;
  let dataMs = Number.NaN;
  let signMs = 0;
  /** when a sign of life was asked for that has not come; NaN: no such */
  let askedMs = Number.NaN;
  let dataLimitMs = DATA_MS;

  const ofQuietMarket = (nowMs: number): Judgement => {
    if (messageMs === openedMs && nowMs - openedMs >= FIRST_WORD_MS) return 'gone';
    // a process that stood still for long must ask before it judges
    if (!Number.isNaN(askedMs)) return nowMs - askedMs >= ASK_MS ? 'gone' : 'well';
    if (nowMs - signMs < ASK_MS) return 'well';
    askedMs = nowMs;
    return 'ask';
  };

  return {
    opened(nowMs) {
      openedMs = nowMs;
      messageMs = nowMs;
      signMs = nowMs;
      dataMs = Number.NaN;
      askedMs = Number.NaN;
    },
    message(nowMs) {
      messageMs = nowMs;
      signMs = nowMs;
      askedMs = Number.NaN;
    },
    data() {
      dataMs = messageMs;
    },
    sign(nowMs) {
      signMs = nowMs;
      askedMs = Number.NaN;
    },
    judge(nowMs) {
      if (silenceMs === null) return ofQuietMarket(nowMs);
      if (nowMs - messageMs >= silenceMs) return 'gone';
      if (!(nowMs - dataMs >= dataLimitMs)) return 'well';
      dataLimitMs = Math.min(MOST_DATA_MS, 2 * dataLimitMs);
      return 'gone';
    },
  };
}
