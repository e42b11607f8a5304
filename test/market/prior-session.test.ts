/** The range of the session before: only where all of it was read, and only once it is over. */
import { expect, test } from 'vitest';
import { PriorSession } from '../../src/market/prior-session.js';
import { MINUTE, TapeBuilder } from '../scan/tape-builder.js';
import { MarketPlayer } from './market-player.js';

const HOUR = 60 * MINUTE;
/** A midnight. */
const DAY = 1_700_006_400_000_000;

class Session {
  readonly tape: TapeBuilder;
  readonly player: MarketPlayer;
  readonly prior: PriorSession;
  readonly #tick: number;

  constructor(start = DAY) {
    this.tape = new TapeBuilder({ start });
    this.player = new MarketPlayer(this.tape);
    this.#tick = this.player.market.track.book.tick;
    this.prior = new PriorSession(this.player.market);
  }

  /** Prints at hours of the day. */
  prints(...prints: [hour: number, price: number][]): this {
    for (const [hour, price] of prints) {
      this.tape.t = DAY + hour * HOUR;
      this.tape.trade(1, price, 1);
    }
    this.player.play();
    return this;
  }

  lose(hour: number): this {
    this.tape.t = DAY + hour * HOUR;
    this.tape.entry({ gap: { stream: 'trade', from: this.tape.t - MINUTE, reason: 'silence' } });
    this.player.play();
    return this;
  }

  unit(hour: number): this {
    this.player.market.beginUnit(DAY + hour * HOUR);
    return this;
  }

  /** High and low in ticks; null where they are not known. */
  at(hour: number): [number, number] | null {
    const range = this.prior.at(DAY + hour * HOUR);
    return range === null ? null : [range.high / this.#tick, range.low / this.#tick];
  }
}

/** Prints of one session, 0 to 7. */
const asia = (): Session => new Session().prints([1, 1000], [3, 1010], [6.999, 995]);

test('it is known as soon as it is over, and no print from behind its end is in it', () => {
  expect(asia().at(6.9995)).toBeNull();
  expect(asia().at(7)).toEqual([1010, 995]);
  expect(asia().prints([7, 1500]).at(7)).toEqual([1010, 995]);
  expect(asia().prints([7, 1500], [12.9, 900]).at(12.95)).toEqual([1010, 995]);
});

test('the next one takes its place; of one without prints nothing is known', () => {
  const day = asia().prints([7.5, 1500], [12.9, 1400]);
  expect(day.at(13.5)).toEqual([1500, 1400]);
  expect(day.at(21.5)).toBeNull();
  expect(day.prints([21.5, 1450]).at(22)).toBeNull();
  expect(day.prints([24.1, 1460]).at(25)).toEqual([1450, 1450]);
});

test('of one that reading began in nothing is known', () => {
  const late = new Session(DAY + 1).prints([1, 1000], [3, 1010], [7.5, 1005]);
  expect(late.at(8)).toBeNull();
  expect(late.prints([13.1, 1000]).at(14)).toEqual([1005, 1005]);
});

test('nor of one in which trades are missing, or may be: until another print comes, those lost behind its end might be its own', () => {
  expect(asia().lose(5).at(8)).toBeNull();
  expect(asia().lose(5).prints([6, 1000], [7.5, 1000]).at(8)).toBeNull();
  expect(asia().lose(7.5).at(8)).toBeNull();
  expect(asia().lose(7.5).prints([7.6, 1000]).at(8)).toBeNull();
  expect(asia().prints([7.5, 1000]).lose(7.6).at(8)).toEqual([1010, 995]);
});

test('a unit knows one that began no earlier than the look-back before it', () => {
  expect(asia().unit(0).at(8)).toEqual([1010, 995]);
  expect(
    asia()
      .unit(10 / 60)
      .at(8),
  ).toEqual([1010, 995]);
  expect(
    asia()
      .unit(11 / 60)
      .at(8),
  ).toBeNull();
  expect(asia().prints([7.5, 1000]).unit(8).at(8)).toBeNull();
});
