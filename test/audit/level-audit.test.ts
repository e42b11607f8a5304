/** Books over REST against the rebuilt one, on tapes made by hand: what counts as wrong, what only as another moment. */
import { Readable } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type SourceReport, verifyTapes } from '../../src/audit/verify.js';
import { answer, bookBody, gap, type Levels, opening, SRC, update, whole } from './bingx-lines.js';

const BIDS: Levels = [
  ['100.0', '1.0000'],
  ['99.9', '2.0000'],
  ['99.8', '3.0000'],
];
const ASKS: Levels = [
  ['100.1', '1.5000'],
  ['100.3', '2.5000'],
];
const BOOK = whole(0, 10, BIDS, ASKS);
/** The book over REST, some of its levels changed; a size of 0 takes a level away. */
function rest(ms: number, bids: Levels = [], asks: Levels = []): string {
  const changed = (side: Levels, changes: Levels): Levels =>
    [...new Map([...side, ...changes])].filter(([, size]) => size !== '0');
  return answer(ms, bookBody(ms, changed(BIDS, bids), changed(ASKS, asks)));
}

async function verify(...lines: string[]): Promise<SourceReport> {
  const text = [...opening(), ...lines].join('');
  const [report] = await verifyTapes({ paths: ['-'], stdin: Readable.from([Buffer.from(text)]) });
  expect(report.src).toBe(SRC);
  return report;
}

const levelsOf = async (...lines: string[]): Promise<unknown[]> => {
  const { levels, problems } = await verify(...lines);
  const { reads, checked, agreed, unsettled } = levels;
  return [reads, checked, agreed, unsettled, problems.filter(({ code }) => code === 'LEVEL').length];
};

describe('levels of two reads', () => {
  test('that agree are checked each time', async () => {
    const report = await verify(BOOK, rest(5_000), rest(11_000));
    expect(report).toMatchObject({
      levels: { reads: 2, checked: 10, agreed: 10, unsettled: 0 },
      problems: [],
      gaps: 0,
      unknown: 0,
    });
  });

  test('are compared with the book as it is at the read: other decimals, any order', async () => {
    const lines = [
      update(1_000, 11, [['99.9', '0.0000']], [['100.2', '7.0000']]),
      answer(
        5_000,
        bookBody(
          5_000,
          [
            ['99.8', '3'],
            ['100', '1.00000'],
          ],
          [
            ['100.3', '2.5'],
            ['100.2', '7'],
            ['100.1', '1.5'],
          ],
        ),
      ),
    ];
    expect(await levelsOf(BOOK, ...lines)).toEqual([1, 5, 5, 0, 0]);
  });

  test('one that differs in the first only is a question of time', async () => {
    expect(await levelsOf(BOOK, rest(5_000, [['99.9', '2.5']]), rest(11_000))).toEqual([2, 9, 9, 1, 0]);
  });

  test('one that differs in the second only is too', async () => {
    expect(await levelsOf(BOOK, rest(5_000), rest(11_000, [['99.9', '2.5']]))).toEqual([2, 9, 9, 1, 0]);
  });

  test('one that differs in both is wrong, and its place is that of the second', async () => {
    const wrong: Levels = [['99.9', '2.5']];
    const other = update(7_000, 11, [['100.0', '1.0000']]);
    const report = await verify(BOOK, rest(5_000, wrong), other, rest(11_000, wrong));
    expect(report.levels).toEqual({ reads: 2, checked: 9, agreed: 8, unsettled: 0 });
    expect(report.problems).toEqual([
      {
        code: 'LEVEL',
        message:
          "bid 99.9 is 2 in the rebuilt book and 2.5 in the venue's of 2026-09-23T22:05:33.000000Z, in reads 6.0 s apart",
        file: '-',
        frame: -1,
        line: 6,
      },
    ]);
  });

  test('one that differs in both, and each time otherwise, is wrong as well', async () => {
    expect(await levelsOf(BOOK, rest(5_000, [['99.9', '2.5']]), rest(11_000, [['99.9', '4']]))).toEqual([
      2, 9, 8, 0, 1,
    ]);
  });

  test('that one of the two books does not have are levels as well', async () => {
    const wrong: [Levels, Levels] = [[['100.0', '0']], [['100.2', '4']]];
    const report = await verify(BOOK, rest(5_000, ...wrong), rest(11_000, ...wrong));
    expect(report.levels).toEqual({ reads: 2, checked: 10, agreed: 8, unsettled: 0 });
    expect(report.problems.map(({ message }) => message.split(' of 2026')[0])).toEqual([
      "bid 100 is 1 in the rebuilt book and nothing in the venue's",
      "ask 100.2 is nothing in the rebuilt book and 4 in the venue's",
    ]);
  });

  test.each([
    ['once', [update(7_000, 11, [['99.9', '2.1000']])]],
    ['and back', [update(7_000, 11, [['99.9', '0.0000']]), update(8_000, 12, [['99.9', '2.0000']])]],
  ])('one that the stream changed %s between them proves nothing', async (_, changes) => {
    const wrong: Levels = [['99.9', '2.5']];
    expect(await levelsOf(BOOK, rest(5_000, wrong), ...changes, rest(11_000, wrong))).toEqual([2, 8, 8, 2, 0]);
  });

  test('one that the stream repeated is wrong all the same', async () => {
    const wrong: Levels = [['99.9', '2.5']];
    const same = update(7_000, 11, [['99.9', '2']]);
    expect(await levelsOf(BOOK, rest(5_000, wrong), same, rest(11_000, wrong))).toEqual([2, 9, 8, 0, 1]);
  });

  test('one that was right in between is not wrong', async () => {
    const wrong: Levels = [['99.9', '2.5']];
    expect(await levelsOf(BOOK, rest(5_000, wrong), rest(11_000), rest(17_000, wrong))).toEqual([3, 13, 13, 2, 0]);
  });

  test('less than five seconds apart decide nothing; a third one does', async () => {
    const wrong: Levels = [['99.9', '2.5']];
    const [first, second, third] = [5_000, 9_999, 10_000].map((ms) => rest(ms, wrong));
    expect(await levelsOf(BOOK, first, second)).toEqual([2, 8, 8, 1, 0]);
    expect(await levelsOf(BOOK, first, second, third)).toEqual([3, 13, 12, 0, 1]);
  });

  test('one that stays wrong is counted each time and told once; when it is wrong anew it is told anew', async () => {
    const wrong: Levels = [['99.9', '2.5']];
    const reads = [5_000, 11_000, 17_000, 23_000].map((ms) => rest(ms, wrong));
    expect(await levelsOf(BOOK, ...reads)).toEqual([4, 4 * 4 + 3, 16, 0, 1]);
    const change = update(24_000, 11, [['99.9', '2.2000']]);
    const more = [30_000, 36_000].map((ms) => rest(ms, wrong));
    expect(await levelsOf(BOOK, ...reads, change, ...more)).toEqual([6, 4 * 6 + 4, 24, 0, 2]);
  });
});

describe('what is not compared', () => {
  test('levels beyond the last one over REST', async () => {
    const top = (ms: number): string => answer(ms, bookBody(ms, BIDS.slice(0, 2), ASKS.slice(0, 1)));
    expect(await levelsOf(BOOK, top(5_000), top(11_000))).toEqual([2, 6, 6, 0, 0]);
  });

  test('levels beyond the first book of the stream, unless it told of them since', async () => {
    const beyond: [Levels, Levels] = [[['99.0', '9']], [['105.0', '9']]];
    const deep = [rest(5_000, ...beyond), rest(11_000, ...beyond)];
    expect(await levelsOf(BOOK, ...deep)).toEqual([2, 10, 10, 0, 0]);
    const told = update(1_000, 11, [['99.0', '8.0000']]);
    expect(await levelsOf(BOOK, told, ...deep)).toEqual([2, 11, 10, 0, 1]);
  });

  test('a side without levels', async () => {
    const one = (ms: number): string => answer(ms, bookBody(ms, [], ASKS));
    expect(await levelsOf(BOOK, one(5_000), one(11_000))).toEqual([2, 4, 4, 0, 0]);
  });

  test.each([
    ['an error', answer(11_000, { code: 109415, msg: 'paused', data: {} })],
    ['an error with levels', answer(11_000, { ...bookBody(11_000, [['99.9', '9']], ASKS), code: 100410 })],
    ['another status', answer(11_000, bookBody(11_000, [['99.9', '9']], ASKS), 429)],
    ['the time', answer(11_000, { code: 0, msg: '', data: { serverTime: 1790201120258 } })],
    ['contracts of many coins', answer(11_000, { code: 0, data: { T: 1, bids: BIDS, asks: ASKS, bidsCoin: [] } })],
    ['a size that cannot be held', rest(11_000, [['99.9', '0.00000000001']])],
  ])('%s is no read', async (_, line) => {
    const wrong: Levels = [['99.9', '2.5']];
    expect(await levelsOf(BOOK, line)).toEqual([0, 0, 0, 0, 0]);
    // and it stands between two reads as if it were not there
    expect(await levelsOf(BOOK, rest(5_000, wrong), line, rest(17_000, wrong))).toEqual([2, 9, 8, 0, 1]);
  });

  test('reads while there is no book, and across its loss', async () => {
    const wrong: Levels = [['99.9', '2.5']];
    const reads = [rest(5_000, wrong), rest(11_000, wrong)];
    expect(await levelsOf(...reads)).toEqual([0, 0, 0, 0, 0]);
    expect(await levelsOf(BOOK, reads[0], gap(6_000, 'silence'), reads[1])).toEqual([1, 4, 4, 1, 0]);
    const again = whole(6_000, 40, BIDS, ASKS);
    expect(await levelsOf(BOOK, reads[0], again, reads[1])).toEqual([2, 8, 8, 2, 0]);
    expect(await levelsOf(BOOK, reads[0], gap(6_000, 'silence'), again, reads[1])).toEqual([2, 8, 8, 2, 0]);
  });
});

/** A walk of one level after another, and reads of the true book between. */
const walk = fc.array(fc.record({ bid: fc.boolean(), rank: fc.nat(9), size: fc.nat(5), read: fc.boolean() }), {
  minLength: 1,
  maxLength: 60,
});

test('a true book always agrees; one lost update is wrong where its level stays as it was for two reads', async () => {
  await fc.assert(
    fc.asyncProperty(walk, fc.nat(), async (steps, pick) => {
      const lost = pick % steps.length;
      const [bids, asks] = [-1, 1].map(
        (order) => new Map(Array.from({ length: 12 }, (_, n) => [(100.5 + order * (n + 1) * 0.2).toFixed(1), '1'])),
      );
      const texts = (side: Map<string, string>): Levels => [...side].filter(([, size]) => size !== '0');
      const lines = [whole(0, 1000, texts(bids), texts(asks))];
      const broken = [...lines];
      const both = (line: string): void => {
        lines.push(line);
        broken.push(line);
      };
      let missed = '';
      steps.forEach(({ bid, rank, size, read }, n) => {
        const side = bid ? bids : asks;
        const price = [...side.keys()][rank];
        const change: Levels = [[price, String(size)]];
        const line = update(n * 10_000 + 1_000, 1001 + n, ...((bid ? [change] : [[], change]) as [Levels, Levels]));
        if (n === lost && side.get(price) !== String(size)) missed = `${bid ? 'bid' : 'ask'} ${price}`;
        else if (missed === `${bid ? 'bid' : 'ask'} ${price}`) missed = '';
        side.set(price, String(size));
        lines.push(line);
        if (n !== lost) broken.push(line);
        if (read) both(answer(n * 10_000 + 5_000, bookBody(n, texts(bids), texts(asks))));
      });
      const end = steps.length * 10_000;
      for (const ms of [5_000, 11_000]) both(answer(end + ms, bookBody(0, texts(bids), texts(asks))));
      const { levels, problems } = await verify(...lines);
      expect(problems).toEqual([]);
      expect(levels.checked).toBeGreaterThan(0);
      expect(levels).toMatchObject({ agreed: levels.checked, unsettled: 0 });
      if (missed === '') return;
      const found = (await verify(...broken)).problems.filter(({ code }) => code === 'LEVEL');
      expect(found.map(({ message }) => message.split(' is ')[0])).toEqual([missed]);
    }),
    { numRuns: 60 },
  );
});
