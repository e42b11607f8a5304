/** Scenarios of what goes wrong on the way: holes, a venue that begins anew, crossed books, trades that come twice or late, prints that are no flow. */
import { COMING, STANDING } from './detectors.js';
import { end, onset, type Scenario } from './scenario.js';
import { absorb, mixed, TAKEN_IN, warm } from './scenes-levels.js';
import { ASKS, BIDS, SWEPT } from './scenes-orders.js';
import { Script } from './script.js';

/** Half a story of absorption, then trouble, then the other half: what was told goes on as if nothing had been. */
function cut(trouble: (script: Script) => Script): Script {
  const script = warm();
  absorb(script);
  trouble(script);
  return absorb(script);
}

/** What is told before; of trades alone nothing is lost with a book. */
const BEFORE = [TAKEN_IN, onset('delta', 'buy'), onset('tape-imbalance', 'buy')];

const loseBook = (script: Script): Script =>
  script
    .trouble('lost book')
    .book({ bids: [[990, 7]] })
    .wait(200)
    .book({ bids: [[990, 10]] })
    .wait(5)
    .trouble('rejoined')
    .wait(200)
    .book({ bids: [[990, 11]] })
    .wait(200);

export const S11: Scenario = {
  name: 'S11',
  title:
    'While a level takes buys in a book message is lost: the event ends there, and what goes on within a minute is not told.',
  of: STANDING,
  play: () => cut(loseBook).wait(3000).play(),
  seen: [...BEFORE, end('absorption', 'sell', 'gap'), end('delta', 'buy', 'eof'), end('tape-imbalance', 'buy', 'eof')],
};

export const S11Later: Scenario = {
  name: 'S11 later',
  title: 'The same, but buyers come again only after a minute of valid data: that is told.',
  of: STANDING,
  play: () =>
    cut((script) => loseBook(script).usual(64, mixed))
      .wait(3000)
      .play(),
  seen: [
    ...BEFORE,
    end('absorption', 'sell', 'gap'),
    end('delta', 'buy', 'faded'),
    end('tape-imbalance', 'buy', 'faded'),
    onset('absorption', 'sell'),
    onset('delta', 'buy'),
    onset('tape-imbalance', 'buy'),
    end('absorption', 'sell', 'eof'),
    end('delta', 'buy', 'eof'),
    end('tape-imbalance', 'buy', 'eof'),
  ],
};

export const S11Trades: Scenario = {
  name: 'S11 trades',
  title: 'While a level takes buys in a trade is lost.',
  of: STANDING,
  needs: ['tradeLossDetected'],
  play: () =>
    cut((script) => script.trouble('lost trade'))
      .wait(3000)
      .play(),
  seen: [...BEFORE, end('absorption', 'sell', 'gap'), end('delta', 'buy', 'gap'), end('tape-imbalance', 'buy', 'gap')],
};

export const S12: Scenario = {
  name: 'S12',
  title: 'While a level takes buys in the venue starts anew and cuts its connections; ids are low then.',
  of: STANDING,
  books: 'rest',
  play: () =>
    cut((script) => script.trouble('restarted').wait(200))
      .wait(3000)
      .play(),
  seen: [...BEFORE, end('absorption', 'sell', 'gap'), end('delta', 'buy', 'gap'), end('tape-imbalance', 'buy', 'gap')],
};

export const S12Stream: Scenario = {
  name: 'S12 stream',
  title:
    'While a level takes buys in the venue starts anew, and says so by a whole book of low ids on the same connection.',
  of: STANDING,
  books: 'stream',
  play: () =>
    cut((script) => script.trouble('restarted').wait(200))
      .wait(3000)
      .play(),
  seen: [...BEFORE, end('absorption', 'sell', 'gap'), end('delta', 'buy', 'eof'), end('tape-imbalance', 'buy', 'eof')],
};

export const S13: Scenario = {
  name: 'S13',
  title: 'For one message the best bid is above the best ask.',
  of: [...STANDING, ...COMING],
  play: () =>
    new Script(BIDS, ASKS)
      .usual()
      .start()
      .book({ bids: [[1002, 5]] })
      .wait(200)
      .book({ bids: [[1002, 0]] })
      .wait(200)
      .usual(5)
      .play(),
  seen: [],
};

export const S14: Scenario = {
  name: 'S14',
  title: 'The order of S3, but each of its trades comes twice.',
  of: STANDING,
  needs: ['tradeLossDetected'],
  play: () => new Script(BIDS, ASKS).usual().start().trouble('trades twice').take(1, 15).wait(3000).play(),
  seen: SWEPT,
};

export const S14Swapped: Scenario = {
  name: 'S14 swapped',
  title: 'The order of S3, but its second trade comes before its first: one seems to be missing, and nothing is told.',
  of: STANDING,
  needs: ['tradeLossDetected'],
  play: () => new Script(BIDS, ASKS).usual().start().trouble('trades swapped').take(1, 15).wait(3000).play(),
  seen: [],
};

export const S18: Scenario = {
  name: 'S18',
  title: 'Large prints that are no order flow: of an insurance fund, by deleveraging, a block trade, a retail order.',
  of: [...STANDING, ...COMING],
  needs: ['offBookMarked'],
  play() {
    const script = new Script(BIDS, ASKS).usual().start();
    for (let n = 0; n < 3; n++)
      for (const kind of ['insurance', 'deleveraging', 'block', 'retail'] as const)
        script
          .print(1, [[1001, 500]], kind)
          .wait(200)
          .print(
            1,
            [
              [1001, 4],
              [1002, 6],
              [1003, 5],
            ],
            kind,
          )
          .wait(200);
    return script.wait(3000).play();
  },
  seen: [],
};
