/** What the end of a connection costs, by what the others brought until then. */
import { describe, expect, test } from 'vitest';
import { carry, end, type Identity, type Link, settle, type TopicCover } from '../../src/feed/coverage.js';
import { unprovenUnion } from '../../src/feed/trade-union.js';
import type { Gap } from '../../src/model/entry.js';

const topic = (channel: string, identity: Identity, isQuiet = false): TopicCover => {
  return { channel, identity, isQuiet, book: false, carried: new Map(), owed: null, toldT: 0, trades: unprovenUnion() };
};

/** A link that is all of its src, with connections open since 10, 20, … and subscribed 5 later. */
function linkOf(topics: TopicCover[], ...conns: string[]): Link {
  const legs = conns.map((conn, n) => ({ conn, openedT: 10 + 10 * n, subscribedT: 15 + 10 * n }));
  return {
    channels: topics.map(({ channel }) => channel),
    whole: true,
    topics,
    legs,
    lastT: 10,
    isRefused: false,
    isOut: false,
  };
}

const lose = (link: Link, conn: string, untilT: number, reason: 'disconnect' | null = 'disconnect'): Gap[] =>
  end(link, conn, untilT, reason, ({ carried }) => carried.keys().next().value === conn);

test('the end of the only connection is a gap of everything, from the newest message to the next', () => {
  const [depth, trade] = [topic('depth', 'chain'), topic('trade', 'chain', true)];
  const link = linkOf([depth, trade], 'a');
  carry(link, depth, 'a', 100);
  expect(lose(link, 'a', 100)).toEqual([]);
  expect(settle(link, depth)).toEqual([{ stream: '*', from: 100, reason: 'disconnect' }]);
  expect(settle(link, trade)).toEqual([]);
});

test('of a link that is only part of its src, each channel has a gap of its own', () => {
  const [depth, trade] = [topic('depth', 'chain'), topic('trade', 'chain', true)];
  const link = { ...linkOf([depth, trade], 'a'), whole: false };
  carry(link, trade, 'a', 100);
  lose(link, 'a', 100);
  expect(settle(link, trade)).toEqual([
    { stream: 'depth', from: 100, reason: 'disconnect' },
    { stream: 'trade', from: 100, reason: 'disconnect' },
  ]);
});

test('our own end costs nothing', () => {
  const depth = topic('depth', 'chain');
  const link = linkOf([depth], 'a');
  carry(link, depth, 'a', 100);
  expect(lose(link, 'a', 100, null)).toEqual([]);
  expect(settle(link, null)).toEqual([]);
});

describe('two connections', () => {
  test('the end of one costs nothing that the other brings', () => {
    const depth = topic('depth', 'chain');
    const link = linkOf([depth], 'a', 'b');
    carry(link, depth, 'a', 100);
    carry(link, depth, 'b', 101);
    expect(lose(link, 'a', 100)).toEqual([]);
    expect([link.isOut, settle(link, depth)]).toEqual([false, []]);
  });

  test('where ids show every loss, one that began later goes on too', () => {
    const depth = topic('depth', 'chain');
    const link = linkOf([depth], 'a', 'b');
    link.legs[1].subscribedT = 0;
    carry(link, depth, 'a', 100);
    carry(link, depth, 'b', 150);
    expect(lose(link, 'a', 100)).toEqual([]);
    expect(settle(link, depth)).toEqual([]);
  });

  test('when the last one ends too, the gap begins at the newest message of any', () => {
    const depth = topic('depth', 'chain');
    const link = linkOf([depth], 'a', 'b');
    carry(link, depth, 'b', 99);
    carry(link, depth, 'a', 100);
    lose(link, 'b', 100);
    carry(link, depth, 'a', 120);
    lose(link, 'a', 120);
    expect(settle(link, depth)).toEqual([{ stream: '*', from: 120, reason: 'disconnect' }]);
  });

  test('one that was acked and has brought nothing goes on only with what may be silent', () => {
    const [depth, trade] = [topic('depth', 'chain'), topic('liquidation', 'none', true)];
    const link = linkOf([depth, trade], 'a', 'b');
    carry(link, depth, 'a', 100);
    lose(link, 'a', 100);
    expect(link.isOut).toBe(false);
    expect(settle(link, trade)).toEqual([]);
    expect(settle(link, depth)).toEqual([{ stream: 'depth', from: 100, reason: 'disconnect' }]);
  });

  test('without ids that tell, the other one must have been there before this one fell silent', () => {
    const run = (until: number): Gap[] => {
      const touch = topic('bookTicker', 'order');
      const link = linkOf([touch], 'a', 'b');
      carry(link, touch, 'a', 23);
      carry(link, touch, 'b', 40);
      const told = lose(link, 'a', until);
      expect(settle(link, touch)).toEqual([]);
      return told;
    };
    expect(run(25)).toEqual([]);
    // acked at 25: what came between 23 and then is not known, and what came after is there
    expect(run(24)).toEqual([{ stream: 'bookTicker', from: 23, reason: 'disconnect' }]);
  });

  test('without ids, the end of the one that was followed is a handover, that of the other one is not', () => {
    const trade = topic('trade', 'none', true);
    const link = linkOf([trade], 'a', 'b');
    carry(link, trade, 'b', 100);
    carry(link, trade, 'a', 101);
    expect(lose(link, 'a', 110)).toEqual([]);
    link.legs.push({ conn: 'c', openedT: 111, subscribedT: 112 });
    carry(link, trade, 'b', 120);
    expect(lose(link, 'b', 121)).toEqual([{ stream: 'trade', from: 120, reason: 'handover' }]);
    expect(settle(link, trade)).toEqual([]);
  });
});
