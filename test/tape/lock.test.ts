/** The lock: one writer per folder, and none held by the dead. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createTapeWriter, type TapeWriter, type TapeWriterOptions } from '../../src/tape/writer.js';
import { opening, SRC, T0, temporaryFolder } from './tapes.js';

function writerIn(out: string, options: Partial<TapeWriterOptions> = {}): TapeWriter {
  return createTapeWriter({ out, src: SRC, now: T0, opening, frameBytes: 500, ...options });
}

test('two writers do not share a folder', async () => {
  const out = temporaryFolder();
  const writer = writerIn(out);
  expect(() => writerIn(out, { now: T0 + 1e6 })).toThrow(expect.objectContaining({ code: 'E_EXISTS' }));
  await writer.seal();
});

test('the lock of a dead process is taken over, that of a living one is not', async () => {
  const out = temporaryFolder();
  const first = writerIn(out);
  await first.seal();
  const dead = spawnSync(process.execPath, ['-e', '0']).pid;
  const lock = join(first.folder, '.lock');
  const host = os.hostname();
  fs.writeFileSync(lock, JSON.stringify({ pid: dead, host, started: null }));
  await writerIn(out, { now: T0 + 1 }).seal();
  fs.writeFileSync(lock, JSON.stringify({ pid: process.ppid, host, started: null }));
  expect(() => writerIn(out, { now: T0 + 2 })).toThrow(/writes there/);
  fs.writeFileSync(lock, JSON.stringify({ pid: process.ppid, host, started: 'another boot' }));
  await writerIn(out, { now: T0 + 2 }).seal();
});
