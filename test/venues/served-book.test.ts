/** Windows on a served book: what is said in which span of time, and that nothing is lost between two sayings. */
import { expect, test } from 'vitest';
import { createServedBook } from '../../src/venues/served-book.js';

const asGiven = (text: string): string => text;
const SECOND = 1_000_000;

function book() {
  return createServedBook(
    {
      bids: [
        ['99', '1'],
        ['98', '2'],
      ],
      asks: [['101', '1']],
    },
    asGiven,
  );
}

test('a window with a span says one thing in each, and then all that changed since', () => {
  const served = book();
  const often = served.window(2);
  const seldom = served.window(2, 500);
  const steps: [at: number, price: string, size: string][] = [
    [10 * SECOND + 100_000, '99', '3'],
    [10 * SECOND + 200_000, '100', '1'],
    [10 * SECOND + 499_999, '99', '4'],
    [10 * SECOND + 500_000, '100', '0'],
    [11 * SECOND + 700_000, '98', '5'],
  ];
  const said = steps.map(([at, price, size]) => {
    served.apply({ bids: [[price, size]], asks: [] });
    return [often.move(at)?.bids, seldom.move(at)?.bids];
  });
  expect(said).toEqual([
    [[['99', '3']], [['99', '3']]],
    [
      [
        ['100', '1'],
        ['98', '0'],
      ],
      undefined,
    ],
    [[['99', '4']], undefined],
    [
      [
        ['100', '0'],
        ['98', '2'],
      ],
      [['99', '4']],
    ],
    [[['98', '5']], [['98', '5']]],
  ]);
  expect(seldom.levels()).toEqual(often.levels());
});

test('a span in which nothing changed is still open for the first change', () => {
  const served = book();
  const seldom = served.window(1, 500);
  served.apply({ bids: [['97', '1']], asks: [] });
  expect(seldom.move(10 * SECOND)).toBeNull();
  served.apply({ bids: [['99', '7']], asks: [] });
  expect(seldom.move(10 * SECOND + 1)).toEqual({ bids: [['99', '7']], asks: [] });
});
