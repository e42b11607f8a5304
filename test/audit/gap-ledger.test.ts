/** Gaps are counted once each, whoever tells of them and however often. */
import { expect, test } from 'vitest';
import { GapLedger } from '../../src/audit/gap-ledger.js';

test('a break and the recorder entry about it are one gap', () => {
  const ledger = new GapLedger();
  expect(ledger.broken('depth')).toBe(true);
  expect(ledger.entry({ stream: 'depth', from: 5, reason: 'sequence', expected: 1, got: 2 })).toBe(false);
  expect(ledger.entry({ stream: 'depth', from: 5, reason: 'snapshot' })).toBe(false);
  expect(ledger.count).toBe(1);
});

test('after a good message the next break is another gap', () => {
  const ledger = new GapLedger();
  ledger.broken('depth');
  ledger.resume('depth');
  expect(ledger.broken('depth')).toBe(true);
  expect(ledger.count).toBe(2);
});

test('a gap of all streams covers each of them until its next good message', () => {
  const ledger = new GapLedger();
  ledger.entry({ stream: '*', from: 5, reason: 'disconnect' });
  expect(ledger.broken('trade')).toBe(false);
  ledger.resume('trade');
  expect(ledger.broken('depth')).toBe(false);
  expect(ledger.broken('trade')).toBe(true);
  expect(ledger.count).toBe(2);
});

test('one loss told once per channel is one gap', () => {
  const ledger = new GapLedger();
  for (const stream of ['depth', 'trade', 'bookTicker']) ledger.entry({ stream, from: 5, reason: 'disconnect' });
  expect(ledger.count).toBe(1);
  expect(ledger.broken('bookTicker')).toBe(false);
  ledger.entry({ stream: 'aggTrade', from: 9, reason: 'silence' });
  expect(ledger.count).toBe(2);
});

test('different streams break on their own', () => {
  const ledger = new GapLedger();
  ledger.broken('depth');
  ledger.broken('trade');
  expect(ledger.count).toBe(2);
});
