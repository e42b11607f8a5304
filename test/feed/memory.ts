/** A recorder of its own process, watched from outside: how much memory it has while it records for long. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { verifyTapes } from '../../src/audit/verify.js';
import { createRig, until } from './harness.js';

const CLI = join(new URL('../..', import.meta.url).pathname, 'bin/tapedeck.js');
const SYMBOLS = ['BTCUSDT', 'ETHUSDT', 'SOLUSDT'];
const RATE = 3000;
/** So much more memory in the last third than in the one before is growth, in MB. */
const GROWTH_MB = 16;
/** And no recorder of a few symbols needs more. */
const MOST_MB = 300;
const SAMPLES = 120;

/** Resident memory of a process in MB. */
const memoryOf = (pid: number): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? Number.NaN) / 1024;

const median = (values: number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1];

/** Records for so long, with a lost connection now and then: nothing is dropped, memory is flat, verify finds the gaps only. */
export async function recordFlat(seconds: number): Promise<void> {
  const rig = await createRig({ symbols: SYMBOLS, rate: RATE, forgets: true });
  const { wsUrl, httpUrl } = rig.exchange;
  const words = ['record', `binance-usdm:${SYMBOLS.join(',')}`, '-o', rig.out, '--rotate', '1m'];
  const child = spawn(process.execPath, [CLI, ...words, '--endpoint', wsUrl, '--rest-endpoint', httpUrl], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  let status: number | null | undefined;
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  child.on('close', (code) => {
    status = code;
  });
  try {
    await until('messages are sent', () => rig.exchange.sent > RATE || status !== undefined);
    const memory: number[] = [];
    for (let n = 0; n < SAMPLES; n++) {
      await sleep((seconds * 1000) / SAMPLES);
      expect(status, stderr).toBe(undefined);
      memory.push(memoryOf(child.pid ?? 0));
      if (n % 20 === 10) rig.exchange.controls.disconnect();
    }
    child.kill('SIGINT');
    await until('it ended', () => status !== undefined);
    expect(status, stderr).toBe(0);
    expect(stderr).toMatch(/received \d+, written \d+, dropped 0\n$/);
    const third = SAMPLES / 3;
    const [before, after] = [memory.slice(third, 2 * third), memory.slice(2 * third)].map(median);
    expect(after, memory.map(Math.round).join(' ')).toBeLessThan(before + GROWTH_MB);
    expect(Math.max(...memory)).toBeLessThan(MOST_MB);
    await rig.exchange.stop();
    const reports = await verifyTapes({ paths: [rig.out], stdin: Readable.from([]) });
    expect(reports.flatMap(({ problems }) => problems).filter(({ code }) => code !== 'GAP')).toEqual([]);
    expect(reports.reduce((sum, { messages }) => sum + messages, 0)).toBeGreaterThan((seconds * RATE) / 2);
  } finally {
    child.kill('SIGKILL');
    await rig.close();
  }
}
