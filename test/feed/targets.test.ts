/** What to record, as typed. */
import { expect, test } from 'vitest';
import { channelsOf, parseTargets } from '../../src/feed/targets.js';
import { venueById } from '../../src/venues/registry.js';

const read = (...words: string[]): [string, string[]][] =>
  parseTargets(words).map(({ venue, symbols }) => [venue.id, symbols]);

test('venue and symbols in one word, in several, or one after the other', () => {
  expect(read('binance-usdm:BTCUSDT,ETHUSDT')).toEqual([['binance-usdm', ['BTCUSDT', 'ETHUSDT']]]);
  expect(read('binance-usdm', 'BTCUSDT', 'ETHUSDT,XRPUSDT')).toEqual([
    ['binance-usdm', ['BTCUSDT', 'ETHUSDT', 'XRPUSDT']],
  ]);
  expect(read('binance-usdm:BTCUSDT', 'binance-spot:BTCUSDT', 'binance-usdm:BTCUSDT,ETHUSDT')).toEqual([
    ['binance-usdm', ['BTCUSDT', 'ETHUSDT']],
    ['binance-spot', ['BTCUSDT']],
  ]);
  expect(read('binance-spot', '0x1')).toEqual([['binance-spot', ['0x1']]]);
});

test.each([
  [['binance-usdm'], 'E_USAGE'],
  [['binance-usdm:'], 'E_USAGE'],
  [['binance-usdm:BTCUSDT,'], 'E_USAGE'],
  [['binance-usdm:BTCUSDT', 'ETHUSDT'], 'E_USAGE'],
  [['binance-spot', 'BTCUSDT', 'binance-usdm:BTCUSDT', 'ETHUSDT'], 'E_USAGE'],
  [['nowhere:BTCUSDT'], 'E_VENUE'],
  [['BTCUSDT'], 'E_VENUE'],
] as const)('refuses %j', (words, code) => {
  expect(() => parseTargets(words)).toThrow(expect.objectContaining({ code }));
});

test('channels: the default set, those asked for once each, or an error that names what there is', () => {
  const venue = venueById('binance-spot');
  expect(channelsOf(venue, [])).toEqual(venue.channels.default);
  expect(channelsOf(venue, ['depth', 'trade', 'depth'])).toEqual(['depth', 'trade']);
  expect(() => channelsOf(venue, ['markPrice'])).toThrow(/no channel 'markPrice'.*depth/);
});
