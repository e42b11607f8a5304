/** When a connection is given up, in numbers: the rules of `vigil.ts` on a time of their own. */
import { expect, test } from 'vitest';
import { createVigil, type Judgement, type Vigil } from '../../src/feed/vigil.js';

/** First time of each other judgement between two times, asked every 50 ms as a recorder does. */
function judgements(vigil: Vigil, fromMs: number, toMs: number): [number, Judgement][] {
  const found: [number, Judgement][] = [];
  for (let nowMs = fromMs; nowMs <= toMs; nowMs += 50) {
    const judgement = vigil.judge(nowMs);
    if (judgement !== 'well') found.push([nowMs, judgement]);
    if (judgement === 'gone') break;
  }
  return found;
}

test('a lively connection is given up when no message came for the time of its plan', () => {
  const vigil = createVigil({ silenceMs: 10_000 });
  vigil.opened(1_000);
  vigil.message(4_000);
  // the answer to a ping is no message
  vigil.sign(13_000);
  expect(judgements(vigil, 1_000, 60_000)).toEqual([[14_000, 'gone']]);
});

test('where a thin market is the only one, silence is a reason to ask, and only no answer to that is the end', () => {
  const vigil = createVigil({ silenceMs: 10_000, asks: true });
  vigil.opened(1_000);
  vigil.message(4_000);
  expect(judgements(vigil, 4_000, 14_200)).toEqual([[14_000, 'ask']]);
  vigil.sign(14_250);
  expect(judgements(vigil, 14_250, 60_000)).toEqual([
    [24_250, 'ask'],
    [29_250, 'gone'],
  ]);
});

test('such a market that answers pings and whose data stay away is opened anew after minutes', () => {
  const vigil = createVigil({ silenceMs: 10_000, asks: true });
  vigil.opened(0);
  vigil.message(100);
  vigil.data();
  let goneMs = 0;
  for (let nowMs = 100; goneMs === 0; nowMs += 50) {
    const judgement = vigil.judge(nowMs);
    if (judgement === 'ask') vigil.sign(nowMs);
    if (judgement === 'gone') goneMs = nowMs;
  }
  expect(goneMs).toBe(120_100);
});

test('without a first word it is given up as any other', () => {
  const vigil = createVigil({ silenceMs: 10_000, asks: true });
  vigil.opened(1_000);
  expect(judgements(vigil, 1_000, 60_000)).toEqual([[11_000, 'gone']]);
});

test('where the market may be quiet, a first word must come, and then signs of life when asked for', () => {
  const vigil = createVigil({ silenceMs: null });
  vigil.opened(1_000);
  expect(judgements(vigil, 1_000, 60_000)).toEqual([[11_000, 'gone']]);
  vigil.opened(20_000);
  vigil.message(20_100);
  expect(judgements(vigil, 20_100, 35_200)).toEqual([[35_100, 'ask']]);
  vigil.sign(35_300);
  expect(judgements(vigil, 35_300, 100_000)).toEqual([
    [50_300, 'ask'],
    [65_300, 'gone'],
  ]);
});

test('a process that stood still asks before it judges', () => {
  const vigil = createVigil({ silenceMs: null });
  vigil.opened(1_000);
  vigil.message(1_100);
  expect(vigil.judge(600_000)).toBe('ask');
  expect(vigil.judge(600_050)).toBe('well');
  vigil.sign(600_060);
  expect(vigil.judge(600_100)).toBe('well');
});

test('data that came once and stays away is missed, though pongs come; each time it is waited for longer', () => {
  const vigil = createVigil({ silenceMs: 40_000 });
  let nowMs = 0;
  const lastings: number[] = [];
  for (let n = 0; n < 6; n++) {
    vigil.opened(nowMs);
    vigil.message(nowMs + 100);
    vigil.data();
    const openedMs = nowMs;
    let judgement: Judgement = 'well';
    while (judgement === 'well') {
      nowMs += 20_000;
      vigil.message(nowMs);
      judgement = vigil.judge(nowMs + 100);
    }
    lastings.push((nowMs - openedMs) / 1000);
  }
  expect(lastings).toEqual([120, 240, 480, 960, 1920, 1920]);
});

test('data that never came is another matter: it has a deadline of its own', () => {
  const vigil = createVigil({ silenceMs: 40_000 });
  vigil.opened(0);
  for (let nowMs = 0; nowMs <= 3_600_000; nowMs += 20_000) {
    vigil.message(nowMs);
    expect(vigil.judge(nowMs)).toBe('well');
  }
});
