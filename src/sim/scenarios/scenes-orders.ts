/** Scenarios of orders that take from the book at once: a sweep, its imitation, a void, an ignition. */
import { STANDING } from './detectors.js';
import { end, type Level, onset, point, type Scenario } from './scenario.js';
import { Script } from './script.js';

/** The asks of the known answer, 100.1×4, 100.2×6, 100.3×5, 100.9×20, and bids that hold about as much. */
export const ASKS: readonly Level[] = [
  [1001, 4],
  [1002, 6],
  [1003, 5],
  [1009, 20],
  [1010, 5],
  [1011, 5],
  [1200, 1],
];
export const BIDS: readonly Level[] = [
  [1000, 12],
  [999, 10],
  [998, 8],
  [997, 8],
  [996, 8],
  [800, 1],
];

/** What S3 and its like are: one order, whichever way it is told. */
export const SWEEP = point('sweep', 'buy', {
  price: 1003,
  prices: { swept_from: 1001, vwap: 1002.0667, pre_touch: 1001 },
  sizes: { size: 15, pre_depth: 15 },
  facts: {
    kind: 'single',
    swept_levels: 3,
    swept_ticks: 3,
    prints: 3,
    groups: 1,
    consumed_ratio: 1,
    next_gap_ticks: 6,
  },
});
export const BLOCK = point('block', 'buy', {
  price: 1003,
  prices: { first_price: 1001, pre_touch: 1001 },
  sizes: { size: 15, usual_size: 1, depth: 4 },
  facts: { prints: 3, levels: 3, touch_share: 3.75, depth_share: 3.75 },
});

/** After it there is nothing between the last level taken and the next one. */
export const SWEPT = [SWEEP, BLOCK, onset('void', 'buy'), end('void', 'buy', 'eof')];

export const S3: Scenario = {
  name: 'S3',
  title: 'One order of 15 takes three ask levels and leaves the next one six ticks away.',
  of: STANDING,
  play: () => new Script(BIDS, ASKS).usual().start().take(1, 15).wait(3000).play(),
  seen: SWEPT,
};

export const S3Refilled: Scenario = {
  name: 'S3 refilled',
  title:
    'The order of S3, but all it took is back 45 ms later: a book that is told less often than that never shows it gone.',
  of: STANDING,
  play: () => new Script(BIDS, ASKS).usual().start().take(1, 15).wait(45).book({ asks: ASKS }).wait(3000).play(),
  seen: [
    { ...SWEEP, upTo: 20 },
    BLOCK,
    // three times what is usual was bought, all of it came back, and the mid stands where it stood
    onset('absorption', 'sell', { price: 1001, sided: { absorbed: 'buys', passive: 'ask' } }),
    end('absorption', 'sell', 'eof'),
  ],
};

export const S4: Scenario = {
  name: 'S4',
  title: 'The three levels go as in S3, but 1 of them was traded and the rest cancelled: no sweep, one pull.',
  of: [...STANDING, 'pull'],
  play: () =>
    new Script(BIDS, ASKS)
      .usual()
      .start()
      .print(1, [[1001, 1]])
      .book({
        asks: [
          [1001, 0],
          [1002, 0],
          [1003, 0],
        ],
      })
      .wait(3000)
      .play(),
  seen: [
    point('pull', 'sell', {
      price: 1001,
      prices: { farthest: 1003 },
      sizes: { size: 15, removed: 15, cancel_lb: 14, executed: 1 },
      facts: { kind: 'ahead', levels: 3, consumed_ratio: 0.066667, moved_ticks: -4 },
      sided: { passive: 'ask' },
    }),
  ],
};

/** What an order of 12 leaves: 3 at 100.3, six ticks before a wall, which is both kinds of void. */
const S7_SEEN = [
  point('block', 'buy', { price: 1003, sizes: { size: 12 } }),
  onset('void', 'buy', {
    price: 1003,
    prices: { near: 1003, far: 1006, wall_price: 1009 },
    sizes: { swept: 12, depth: 3, usual: 15, wall_size: 20 },
    facts: { kind: 'post-sweep', void_ratio: 0.2 },
    sided: { passive: 'ask' },
  }),
  onset('void', 'buy', {
    price: 1003,
    prices: { near: 1003, far: 1009, wall_price: 1009 },
    sizes: { depth: 3, wall_size: 20 },
    facts: { kind: 'gap', width_ticks: 6, gap_ticks: 5 },
    sided: { passive: 'ask' },
  }),
];

const S7 = (): Script =>
  // what is left of the third level is the touch, and the next one six ticks away
  new Script(BIDS, ASKS).usual().start().take(1, 12).wait(2000);

export const S7Refilled: Scenario = {
  name: 'S7 refilled',
  title: 'An order leaves the touch six ticks before the next level; two seconds later levels stand there again.',
  of: STANDING,
  play: () =>
    S7()
      .book({
        asks: [
          [1004, 4],
          [1005, 6],
          [1006, 5],
        ],
      })
      .wait(3000)
      .play(),
  seen: [
    ...S7_SEEN,
    end('void', 'buy', 'refilled', { facts: { kind: 'post-sweep', void_ratio: 0.866667 }, sizes: { depth: 13 } }),
    end('void', 'buy', 'refilled', { facts: { kind: 'gap' }, sizes: { depth: 18 } }),
  ],
};

export const S7WallPulled: Scenario = {
  name: 'S7 wall pulled',
  title:
    'An order leaves a gap before a wall, the next one goes into the gap, and the wall is pulled before price is there.',
  of: [...STANDING, 'void-run'],
  play: () =>
    S7()
      .take(1, 3)
      .wait(200)
      .book({ bids: [[1003, 6]] })
      .wait(1000)
      .book({ asks: [[1009, 0]] })
      .wait(3000)
      .play(),
  seen: [
    ...S7_SEEN,
    end('void', 'buy', 'broken', { facts: { kind: 'gap' } }),
    // between the bid and the levels behind the wall nothing came back
    end('void', 'buy', 'eof', { facts: { kind: 'post-sweep' } }),
    // 15 of the 16 last lots were bought, and nothing is sold any more
    onset('tape-imbalance', 'buy', { sizes: { buy_size: 15, sell_size: 1 } }),
    end('tape-imbalance', 'buy', 'eof'),
    onset('void-run', 'buy', { plan: { stop: 1002, target: 1008 } }),
    end('void-run', 'buy', 'wall_pulled'),
  ],
};

/** What the third buy leaves between the bid and the next ask. */
const S8_LEFT = onset('void', 'buy', {
  price: 1004,
  prices: { near: 1004, far: 1007, wall_price: 1009 },
  sizes: { swept: 5, usual: 5, depth: 0 },
  facts: { kind: 'post-sweep' },
  sided: { passive: 'ask' },
});

export const S8: Scenario = {
  name: 'S8',
  title: 'Three buys eat 4, 6 and 5, the bid steps over what they took, and price comes back.',
  of: [...STANDING, 'ignition'],
  play: () =>
    new Script(BIDS, ASKS)
      .usual()
      .start()
      .take(1, 4)
      .wait(400)
      .take(1, 6)
      .wait(400)
      .take(1, 5)
      .wait(100)
      .book({ bids: [[1004, 3]] })
      .wait(2000)
      .take(-1, 3)
      .wait(100)
      .take(-1, 2)
      .wait(3000)
      .play(),
  seen: [
    point('block', 'buy', { price: 1001, sizes: { size: 4 } }),
    point('block', 'buy', { price: 1002, sizes: { size: 6 } }),
    // nothing comes back where the third buy was, and between the new bid and the old ones there is nothing
    S8_LEFT,
    onset('void', 'sell', { price: 1003, facts: { kind: 'thin', width_ticks: 3 }, sided: { passive: 'bid' } }),
    end('void', 'sell', 'broken', { facts: { kind: 'thin' } }),
    // the sale of 3 took all of that bid
    onset('void', 'sell', {
      price: 1003,
      facts: { kind: 'post-sweep' },
      sizes: { swept: 3, usual: 3, depth: 0 },
      sided: { passive: 'bid' },
    }),
    end('void', 'buy', 'eof', { facts: { kind: 'post-sweep' } }),
    end('void', 'sell', 'eof', { facts: { kind: 'post-sweep' } }),
    onset('tape-imbalance', 'buy', { sizes: { buy_size: 17, sell_size: 2 } }),
    end('tape-imbalance', 'buy', 'faded'),
    onset('ignition', 'buy', { plan: { stop: 1002, target: 1009 } }),
    end('ignition', 'buy', 'invalidated'),
  ],
};

export const S8Opposed: Scenario = {
  name: 'S8 opposed',
  title: 'The same three buys, but two fifths as much is sold between them: no ignition.',
  of: [...STANDING, 'ignition'],
  play: () =>
    new Script(BIDS, ASKS)
      .usual()
      .start()
      .take(1, 4)
      .wait(400)
      .take(-1, 6)
      .wait(100)
      .take(1, 6)
      .wait(400)
      .take(1, 5)
      .wait(100)
      .book({ bids: [[1004, 3]] })
      .wait(3000)
      .play(),
  seen: [
    point('block', 'buy', { price: 1001, sizes: { size: 4 } }),
    point('block', 'sell', { price: 1000, sizes: { size: 6 } }),
    point('block', 'buy', { price: 1002, sizes: { size: 6 } }),
    S8_LEFT,
    onset('void', 'sell', { price: 1003, facts: { kind: 'thin', width_ticks: 3 }, sided: { passive: 'bid' } }),
    end('void', 'buy', 'eof', { facts: { kind: 'post-sweep' } }),
    end('void', 'sell', 'eof', { facts: { kind: 'thin' } }),
  ],
};
