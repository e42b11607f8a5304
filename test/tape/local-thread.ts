/** The thread that writes tapes, without a thread: orders are carried out when a test says so, and time stands still. */
import type { Order, Report } from '../../src/tape/orders.js';
import { createTapeDesk } from '../../src/tape/tape-desk.js';
import type { StartTapeThread } from '../../src/tape/tape-queue.js';

export interface LocalThread {
  start: StartTapeThread;
  /** orders posted and not carried out */
  readonly waiting: number;
  /** carries out what was posted; a disk that does not move is one for which this is not called */
  deliver(): void;
  /** carries out everything as soon as it is posted, from now on */
  flow(): void;
  /** the next attempts of tapes that could not be written, and waits for what comes of them */
  retry(): Promise<void>;
  /** attempts that wait, ms from the failure */
  readonly retries: number[];
}

export function createLocalThread(): LocalThread {
  let posts: (readonly Order[])[] = [];
  let flowing = false;
  let reports = 0;
  let pending: { act: () => void; ms: number }[] = [];
  let deliver = (): void => {};

  return {
    start(report) {
      const desk = createTapeDesk({
        report(said: Report) {
          reports++;
          report(said);
        },
        later(act, ms) {
          const one = { act, ms };
          pending.push(one);
          return () => {
            pending = pending.filter((other) => other !== one);
          };
        },
      });
      deliver = () => {
        const taken = posts;
        posts = [];
        for (const orders of taken) desk.take(orders);
      };
      return {
        post(orders) {
          posts.push(orders);
          if (flowing) deliver();
        },
        close() {},
      };
    },
    get waiting() {
      return posts.length;
    },
    deliver: () => deliver(),
    flow() {
      flowing = true;
      deliver();
    },
    async retry() {
      const due = pending;
      pending = [];
      const goal = reports + due.length;
      for (const { act } of due) act();
      while (reports < goal) await new Promise(setImmediate);
    },
    get retries() {
      return pending.map(({ ms }) => ms);
    },
  };
}
