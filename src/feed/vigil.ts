/** Whether an open connection still lives: by its messages, by its data, and where both may be rare by the answers to our pings. */
import type { ConnectionPlan } from '../venues/venue.js';

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
/** Where a plan says after which silence to ask, the answer has so long: far more than a way there and back takes. */
const ANSWER_MS = 5_000;
/**
 * Data that has come once and is missing for so long, while the venue goes on answering pings, is asked for on a new connection.
 * The time doubles with each, so that a market which really is this quiet does not lose its data again and again.
 */
const DATA_MS = 120_000;
const MOST_DATA_MS = 16 * DATA_MS;

/** What of a plan decides how its connection is watched. */
export type Watch = Pick<ConnectionPlan, 'silenceMs' | 'asks'>;

export function createVigil({ silenceMs, asks = false }: Watch): Vigil {
  let openedMs = 0;
  let messageMs = 0;
  /** a message came since the opening, were it at the same moment */
  let spoke = false;
  let dataMs = Number.NaN;
  let signMs = 0;
  /** when a sign of life was asked for that has not come; NaN: no such */
  let askedMs = Number.NaN;
  let dataLimitMs = DATA_MS;

  /** Silence for `askMs` is a reason to ask, and silence for `answerMs` after that is the end; so is no first word. */
  const questioned = (nowMs: number, askMs: number, answerMs: number): Judgement => {
    if (!spoke && nowMs - openedMs >= FIRST_WORD_MS) return 'gone';
    // a process that stood still for long must ask before it judges
    if (!Number.isNaN(askedMs)) return nowMs - askedMs >= answerMs ? 'gone' : 'well';
    if (nowMs - signMs < askMs) return 'well';
    askedMs = nowMs;
    return 'ask';
  };

  return {
    opened(nowMs) {
      openedMs = nowMs;
      messageMs = nowMs;
      spoke = false;
      signMs = nowMs;
      dataMs = Number.NaN;
      askedMs = Number.NaN;
    },
    message(nowMs) {
      spoke = true;
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
      if (silenceMs === null) return questioned(nowMs, ASK_MS, ASK_MS);
      if (!asks && nowMs - messageMs >= silenceMs) return 'gone';
      if (nowMs - dataMs >= dataLimitMs) {
        dataLimitMs = Math.min(MOST_DATA_MS, 2 * dataLimitMs);
        return 'gone';
      }
      return asks ? questioned(nowMs, silenceMs, ANSWER_MS) : 'well';
    },
  };
}
