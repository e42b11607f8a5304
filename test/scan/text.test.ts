/** Signals as text: columns that fit a terminal, and every fact of the JSON behind them. */
import { expect, test } from 'vitest';
import type { Signal } from '../../src/model/signal.js';
import { signalText, TEXT_TITLES } from '../../src/scan/text.js';
import { detectors } from '../../src/signals/registry.js';

const signal: Signal = {
  time: '2023-11-14T22:14:20.000001Z',
  venue: 'binance-usdm',
  symbol: 'BTCUSDT',
  signal: 'liquidation-cascade',
  phase: 'update',
  side: 'sell',
  id: '00112233aabbccdd',
  price: 128_139.25,
  score: 12.3456,
  evidence: { volume: 12.5, regime: 'x', note: null, recorder: 'r', first: 1, last: 2 },
  confirm: {
    ...{ size: true, size_ratio: 0.5, depth_fell: null, duration: false, same_side_share: 1 },
    ...{ reaction: null, reaction_ticks: null, reaction_asked_ticks: null, stall: null },
  },
  context: { regime: { liquidity: 'low', direction: 'up' }, mark: 0 },
  plan: {
    ...{ entry: 1, stop: 2, stop_level: null, stop_origin: null, target: null, risk_bps: 3, reward_bps: null },
    ...{ rr: null, rr_net: null, breakeven_bps: 4, size: null, cap: null, touch_size: 12, warning: 'stop is near' },
  },
  quality: 'verified',
};

test('79 columns are enough for a glance, and names of detectors fit', () => {
  const glance = '2023-11-14T22:14:20.000001Z  liquidation-cascade update sell  128139.25  12.346  ';
  expect(signalText(signal).startsWith(`${glance}binance-usdm:BTCUSDT  `)).toBe(true);
  expect(glance.trimEnd()).toHaveLength(79);
  for (const { name } of detectors) expect(name.length).toBeLessThanOrEqual('liquidation-cascade'.length);
  for (const phase of ['onset', 'update', 'end', 'point'] as const)
    expect(signalText({ ...signal, phase }).indexOf('binance-usdm:')).toBe(glance.length);
});

test('titles stand over their columns', () => {
  const text = signalText({ ...signal, price: null });
  for (const [title, value] of [
    ['SIGNAL', 'liquidation-cascade'],
    ['PHASE', 'update'],
    ['SIDE', 'sell'],
    ['SOURCE', 'binance-usdm:BTCUSDT'],
    ['FACTS', 'volume='],
  ])
    expect(TEXT_TITLES.indexOf(title)).toBe(text.indexOf(value));
  expect(TEXT_TITLES.indexOf('SCORE') + 5).toBe(text.indexOf('12.346') + 6);
  expect(TEXT_TITLES.indexOf('PRICE') + 5).toBe(text.indexOf(' -  ') + 2);
});

test('what stands in groups is named with them, unknown is -, and a fact is one word', () => {
  const [, facts] = signalText({ ...signal, phase: 'end', reason: 'held' }).split('binance-usdm:BTCUSDT  ');
  expect(facts).toBe(
    [
      'reason=held volume=12.5 regime=x note=- recorder=r first=1 last=2',
      'confirm.size=true confirm.size_ratio=0.5 confirm.depth_fell=- confirm.duration=false confirm.same_side_share=1',
      'confirm.reaction=- confirm.reaction_ticks=- confirm.reaction_asked_ticks=- confirm.stall=-',
      'regime.liquidity=low regime.direction=up mark=0',
      'plan.entry=1 plan.stop=2 plan.stop_level=- plan.stop_origin=- plan.target=- plan.risk_bps=3 plan.reward_bps=-',
      'plan.rr=- plan.rr_net=- plan.breakeven_bps=4 plan.size=- plan.cap=- plan.touch_size=12 plan.warning="stop is near"',
      'quality=verified id=00112233aabbccdd',
    ].join(' '),
  );
});
