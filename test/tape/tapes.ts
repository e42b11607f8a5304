/** Small tapes for the tests of `tape/`: lines, folders that clean up after themselves, and flows as text. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Damage, LineBatch, LineFlow } from '../../src/model/batch.js';
import { entryLine, messageLine } from '../../src/tape/line.js';
import type { OpeningLine } from '../../src/tape/writer.js';

export const SRC = 'binance-usdm:BTCUSDT';
/** 2024-08-08T23:54:15Z */
export const T0 = 1_723_161_255_000_000;

export function temporaryFolder(): string {
  const folder = fs.mkdtempSync(join(os.tmpdir(), 'tapedeck-tape-'));
  onTestFinished(() => fs.rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export function headerLine(t: number, src = SRC): string {
  const [venue, symbol] = src.split(':');
  const instrument = { symbol, kind: 'linear' as const, tick: '0.1', lot: '0.001', multiplier: '1' };
  const tape = {
    version: 1,
    recorder: 'k3f9',
    venue,
    symbol,
    instrument,
    channels: ['depth'],
    flow: 'trade',
    tool: 'test',
  };
  return entryLine({ t, src, tape });
}

export function bookLine(t: number, src = SRC): string {
  const coverage = { low: null, high: null };
  return entryLine({ t, src, book: { state: 'valid', coverage, streams: {}, bids: [['1', '2']], asks: [] } });
}

export function message(t: number, text = `{"e":"trade","E":${t % 1000},"p":"28145.10"}`, src = SRC): Buffer {
  return messageLine(t, src, 'k3f9.1', Buffer.from(text));
}

/** A header, then `count` lines a millisecond apart with a checkpoint at every `every`th. */
export function sampleLines(count: number, every = 0, src = SRC, start = T0, step = 1000): string[] {
  const lines = [headerLine(start, src)];
  for (let i = 1; i <= count; i++) {
    const t = start + i * step;
    lines.push(every > 0 && i % every === 0 ? bookLine(t, src) : message(t, undefined, src).toString());
  }
  return lines;
}

export function timeIn(line: string): number {
  return Number(line.slice(5, 21));
}

export const opening = (next: () => number): OpeningLine[] => {
  const t = next();
  return [{ line: headerLine(t), t }];
};

export interface Collected {
  text: string;
  lines: string[];
  damage: Damage['damage'][];
  batches: number;
}

/** All of a flow, copied as it comes. */
export async function collect(flow: LineFlow | Iterable<LineBatch | Damage>): Promise<Collected> {
  const parts: string[] = [];
  const damage: Damage['damage'][] = [];
  for await (const item of flow) {
    if ('damage' in item) damage.push(item.damage);
    else parts.push(item.bytes.toString('utf8', item.from, item.to));
  }
  const text = parts.join('');
  return { text, lines: text.split('\n').slice(0, -1), damage, batches: parts.length };
}

/** A flow of the given texts, each a batch in one reused buffer, as a reader gives them. */
export async function* flowOf(texts: readonly string[], file = 'f'): LineFlow {
  const bytes = Buffer.alloc(Math.max(0, ...texts.map((text) => Buffer.byteLength(text))));
  let line = 1;
  for (const text of texts) {
    const to = bytes.write(text);
    yield { bytes, from: 0, to, file, frame: 0, line };
    line += text.split('\n').length - 1;
    bytes.fill('#');
  }
}

export function hasTool(name: string): boolean {
  return spawnSync(name, ['--version']).status === 0;
}
