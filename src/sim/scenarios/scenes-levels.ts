/** Scenarios of levels that hold, hide, break and are pulled. */
import { STANDING } from './detectors.js';
import { end, onset, point, type Scenario } from './scenario.js';
import { levels, Script } from './script.js';

/** Fifteen levels of 10 on each side, 100.0 and 100.1 the best of them. */
export function even(): Script {
  return new Script([...levels(1, 1000, 10, 15), [800, 1]], [...levels(-1, 1001, 10, 15), [1200, 1]]);
}

/** Most orders are of 1; now and then one takes all that the touch shows, so that such an order is nothing unusual. */
export const mixed = (i: number): number => (i % 35 === 17 ? 10 : 1);

/** That market, warm. */
export function warm(): Script {
  // a little later, so that no window of whole seconds begins amid a usual order
  return even().usual(70, mixed).wait(240).start();
}

/** Twenty buys of 5 at a best ask of 10 that is whole again after each. */
export function absorb(script: Script): Script {
  for (let n = 0; n < 20; n++)
    script
      .take(1, 5)
      .wait(45)
      .book({ asks: [[1001, 10]] })
      .wait(155);
  return script;
}

/** Everything up to two levels beyond is bought, and the bid follows. */
export function breakThrough(script: Script): Script {
  return script
    .take(1, 10)
    .wait(100)
    .take(1, 10)
    .wait(100)
    .take(1, 10)
    .wait(100)
    .book({ bids: [[1001, 10]] })
    .wait(100)
    .book({ bids: [[1002, 10]] });
}

/** A basis point a tick, and nothing at the price where the order of the story will be. */
const FINE_ASKS = levels(-1, 10_001, 10, 15).filter(([price]) => price !== 10_004);

export const S4Pull: Scenario = {
  name: 'S4 pull',
  title: 'An order of 50 is displayed three basis points away for 400 ms, and cancelled: nothing was traded.',
  of: [...STANDING, 'pull'],
  play: () =>
    new Script([...levels(1, 10_000, 10, 15), [9000, 1]], [...FINE_ASKS, [11_000, 1]])
      .usual()
      .start()
      .wait(1000)
      .book({ asks: [[10_004, 50]] })
      .wait(400)
      .book({ asks: [[10_004, 0]] })
      .wait(3000)
      .play(),
  seen: [
    point('pull', 'sell', {
      price: 10_004,
      sizes: { size: 50, removed: 50, cancel_lb: 50, executed: 0 },
      facts: { kind: 'pull' },
      sided: { passive: 'ask' },
    }),
  ],
};

/** Buys into a best ask that shows 10 and holds. */
export const TAKEN_IN = onset('absorption', 'sell', {
  price: 1001,
  prices: { level_low: 1001, level_high: 1001 },
  sizes: { max_displayed: 10, usual: 19 },
  bounds: { cancel_lb: 0 },
  facts: { kind: 'composite', displacement_ticks: 0 },
  sided: { absorbed: 'buys', passive: 'ask' },
});

export const S5: Scenario = {
  name: 'S5',
  title: 'An order of 100 shows 10 at a time and is bought ten times over.',
  of: [...STANDING, 'iceberg'],
  play() {
    const script = warm();
    // the level of 10 is the first the order shows; nine refills follow
    for (let n = 0; n < 10; n++) {
      script.take(1, 10).wait(45);
      if (n < 9) script.book({ asks: [[1001, 10]] });
      script.wait(255);
    }
    return script.usual(20, mixed).play();
  },
  seen: [
    TAKEN_IN,
    // 8 bought as usual in the window before, and 100 after: all but the first 10 shown, and what came back of the 8
    end('absorption', 'sell', 'held', { sizes: { absorbed_size: 108 }, bounds: { refill_lb: 98, cancel_lb: 0 } }),
    onset('delta', 'buy'),
    end('delta', 'buy', 'faded'),
    onset('tape-imbalance', 'buy'),
    end('tape-imbalance', 'buy', 'faded'),
    onset('iceberg', 'sell', {
      price: 1001,
      sizes: { peak: 10, hidden_lb: 30 },
      facts: { cycles: 3, confidence: 'weak' },
    }),
    // the tenth that was shown is bought and does not come back
    end('iceberg', 'sell', 'broken', { price: 1001, sizes: { peak: 10, hidden_lb: 90 }, facts: { cycles: 9 } }),
  ],
};

export const S6: Scenario = {
  name: 'S6',
  title:
    'Twenty buys of 5 are taken in by a best ask of 10 that is whole again after each; then it is bought away, and price goes on.',
  of: STANDING,
  play: () => breakThrough(absorb(warm())).wait(5000).play(),
  seen: [
    TAKEN_IN,
    // 8 as usual, 100 that were refilled, and the last 10, which were not
    end('absorption', 'sell', 'broken', { sizes: { absorbed_size: 118 }, bounds: { refill_lb: 108, cancel_lb: 0 } }),
    onset('delta', 'buy'),
    end('delta', 'buy', 'eof'),
    onset('tape-imbalance', 'buy'),
    end('tape-imbalance', 'buy', 'eof'),
  ],
};

export const S6Pulled: Scenario = {
  name: 'S6 pulled',
  title: 'The same, but at last the level is cancelled, not bought, and price goes on.',
  of: STANDING,
  play: () =>
    absorb(warm())
      .book({
        asks: [
          [1001, 0],
          [1002, 0],
          [1003, 0],
        ],
      })
      .wait(100)
      .book({ bids: [[1002, 10]] })
      .wait(5000)
      .play(),
  seen: [
    TAKEN_IN,
    // 8 as usual and the 100, all of them refilled; the 10 that then stood there went untraded
    end('absorption', 'sell', 'pulled', { sizes: { absorbed_size: 108 }, bounds: { cancel_lb: 10 } }),
    onset('delta', 'buy'),
    end('delta', 'buy', 'eof'),
    onset('tape-imbalance', 'buy'),
    end('tape-imbalance', 'buy', 'eof'),
  ],
};
