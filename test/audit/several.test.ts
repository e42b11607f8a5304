/** Verify reads several connections as one stream: what one lacks is no gap, and a quote that comes late contradicts nothing. */
import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { type SourceReport, verifyTapes } from '../../src/audit/verify.js';
import { hearMarket, type Link, linesOf, soundLink } from '../market/several.js';
import { writeSession } from '../scan/tape-folder.js';
import { START } from '../venues/served.js';
import { temporaryFolder } from './market-lines.js';

async function verified(lines: readonly string[]): Promise<SourceReport> {
  const folder = temporaryFolder();
  await writeSession(folder, lines, { checkpointEvery: 2_000_000 });
  const [report] = await verifyTapes({ paths: [folder], stdin: Readable.from([]) });
  return report;
}

const SECOND = 1_000_000;
const late: Link = { ...soundLink('b'), delay: 700_000, jitter: 200_000 };
/** It lacks whole runs, which the late one brings. */
const patchy: Link = { ...soundLink('a'), misses: (n, at) => at > START + 2 * SECOND && n % 60 < 30 };

describe.each(['binance-usdm', 'binance-spot', 'okx-swap', 'bybit-linear'])('%s', (id) => {
  const sound = hearMarket(id, { seed: 4, seconds: 8, openings: [START + 4 * SECOND] });

  test('a late connection beside one that lacks runs is no problem', async () => {
    const report = await verified(linesOf(sound, [patchy, late]));
    expect(report.problems).toEqual([]);
    expect(report.gaps).toBe(0);
    expect(report.checkpoints.checked).toBeGreaterThan(1);
    if (id.startsWith('binance')) expect(report.touch.checked).toBeGreaterThan(100);
    expect(report.touch.agreed).toBe(report.touch.checked);
  });

  test('one that ends and opens again, without a gap entry', async () => {
    const ends: Link = { ...soundLink('a'), to: START + 3.5 * SECOND };
    const again: Link = { ...soundLink('c'), from: START + 4 * SECOND };
    const { problems } = await verified(linesOf(sound, [ends, late, again]));
    // of trades without ids nothing tells what the other one would have brought
    expect(problems.map(({ code }) => code)).toEqual(id === 'bybit-linear' ? ['GAP'] : []);
  });

  test('what both lack is one gap', async () => {
    const hole = (link: Link): Link => ({
      ...link,
      misses: (n, at) => (at > START + 5 * SECOND && at < START + 6 * SECOND) || link.misses(n, at),
    });
    const { problems } = await verified(linesOf(sound, [hole({ ...patchy, name: 'a' }), hole(late)]));
    expect(new Set(problems.map(({ code }) => code))).toEqual(new Set(['GAP']));
    const alone = await verified(linesOf(sound, [hole(soundLink('a'))]));
    // but for when the last message before it came
    const texts = (all: typeof problems): string[] => all.map(({ message }) => message.replace(/since \S+/, '')).sort();
    expect(texts(problems)).toEqual(texts(alone.problems));
  });
});
