/** A small consistent market as archive lines and as tape entries, for the audit tests. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Entry, Micros } from '../../src/model/entry.js';
import type { Instrument } from '../../src/model/instrument.js';
import { entryLine, messageLine } from '../../src/tape/line.js';
import { createSegmentFile } from '../../src/tape/writer.js';

export const START: Micros = 1_700_000_000_000_000;
export const SRC = 'binance-usdm:ABCUSDT';
export const INSTRUMENT: Instrument = { symbol: 'ABCUSDT', kind: 'linear', tick: '0.1', lot: '0.001', multiplier: '1' };

/** One received thing: a message, or the REST snapshot. */
export interface Received {
  t: Micros;
  kind: 'depth' | 'touch' | 'trade' | 'snapshot';
  text: string;
  id: number;
}

/** A folder that goes away with the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'tapedeck-audit-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/**
 * A snapshot, then `steps` times: the best bid's size changes (depth and touch) and a trade happens. Every 7th step the
 * best bid goes, every 7th but one it comes back. Messages are `everyMicros` apart.
 */
export function market(steps: number, everyMicros = 1000): Received[] {
  const received: Received[] = [];
  let t = START;
  let id = 5000;
  let previous = 4990;
  const levels = (from: number, step: number): [string, string][] =>
    Array.from({ length: 10 }, (_, n) => [(from + n * step).toFixed(1), (1 + n).toFixed(3)]);
  const add = (kind: Received['kind'], text: string, own: number): void => {
    received.push({ t, kind, text, id: own });
    t += everyMicros;
  };
  const body = { lastUpdateId: id, E: 1, T: 1, bids: levels(100, -0.1), asks: levels(100.1, 0.1) };
  add('snapshot', JSON.stringify(body), id);
  for (let step = 0; step < steps; step++) {
    const ms = Math.floor(t / 1000);
    const first = step === 0 ? id - 1 : id + 1;
    id += 3;
    const gone = step % 7 === 5;
    const size = gone ? '0.000' : (1 + (step % 97) / 1000).toFixed(3);
    add(
      'depth',
      `{"stream":"abcusdt@depth@100ms","data":{"e":"depthUpdate","E":${ms},"T":${ms},"s":"ABCUSDT","U":${first},"u":${id},"pu":${previous},"b":[["100.0","${size}"]],"a":[]}}`,
      id,
    );
    previous = id;
    const [bid, bidSize] = gone ? ['99.9', '2.000'] : ['100.0', size];
    add(
      'touch',
      `{"stream":"abcusdt@bookTicker","data":{"e":"bookTicker","u":${id},"s":"ABCUSDT","b":"${bid}","B":"${bidSize}","a":"100.1","A":"1.000","T":${ms},"E":${ms}}}`,
      id,
    );
    add(
      'trade',
      `{"stream":"abcusdt@trade","data":{"e":"trade","E":${ms},"T":${ms},"s":"ABCUSDT","t":${900 + step},"p":"100.0","q":"0.001","X":"MARKET","m":true}}`,
      900 + step,
    );
  }
  return received;
}

/** Archive lines in microseconds. */
export function archiveText(received: readonly Received[]): string {
  return received.map(({ t, text }) => `${t} ${text}\n`).join('');
}

/** A tape header at one microsecond before START. */
export function header(recorder = 'rec1', t = START - 2): Entry {
  const tape = { version: 1, recorder, venue: 'binance-usdm', symbol: 'ABCUSDT', instrument: INSTRUMENT };
  return { t, src: SRC, tape: { ...tape, channels: ['depth', 'trade', 'bookTicker'], flow: 'trade', tool: 'test' } };
}

/** The line of a received thing. */
export function tapeLine({ t, kind, text }: Received, conn = 'rec1.1'): string {
  if (kind !== 'snapshot') return messageLine(t, SRC, conn, Buffer.from(text)).toString();
  return `{"t":${t},"src":"${SRC}","http":{"url":"u","status":200,"sent":${t},"body":${text}}}\n`;
}

/** The lines of a whole tape: header, open entry, everything received. */
export function tapeLines(received: readonly Received[]): string[] {
  const open: Entry = { t: START - 1, src: SRC, conn: 'rec1.1', open: { url: 'u' } };
  return [entryLine(header()), entryLine(open), ...received.map((one) => tapeLine(one))];
}

/** Writes lines as a segment, `perFrame` lines to a frame; sealed unless told otherwise. */
export async function writeSegment(path: string, lines: readonly string[], perFrame = 50, seal = true): Promise<void> {
  const file = createSegmentFile({ path, src: SRC, tail: !seal });
  let last = 0;
  lines.forEach((line, n) => {
    const t = Number(/^\{"t":(\d+)/.exec(line)?.[1] ?? last + 1);
    last = Math.max(last, t);
    file.add(Buffer.from(line), t, line.includes('"book":'));
    if (n === 0 || n % perFrame === 0) file.closeFrame();
  });
  if (!seal) {
    file.flush();
    await file.abandon();
  } else await file.seal({ index: last + 1, end: last + 2 });
}
