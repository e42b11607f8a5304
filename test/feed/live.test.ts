/** Lines to stdout with readers that are quick, slow and gone. */
import { Writable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { createLiveOutput, type LiveSource } from '../../src/feed/live.js';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const source: LiveSource = { dropLine: (t, count) => Buffer.from(`drop ${count} at ${t}\n`) };

/** A reader that takes a write only when told to. */
class SlowReader extends Writable {
  writes: string[] = [];
  #waiting: ((error?: Error) => void) | null = null;

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error) => void): void {
    this.writes.push(chunk.toString());
    this.#waiting = done;
  }

  take(error?: Error): void {
    const done = this.#waiting;
    this.#waiting = null;
    done?.(error);
  }
}

describe('live output', () => {
  test('hands over the lines of one turn in one write', async () => {
    const reader = new SlowReader();
    const live = createLiveOutput(reader, () => {});
    expect(live.push(source, 1, Buffer.from('a\n'))).toBe(true);
    live.push(source, 2, Buffer.from('b\n'));
    expect(reader.writes).toEqual([]);
    await turn();
    expect(reader.writes).toEqual(['a\nb\n']);
  });

  test('a slow reader loses lines, and one drop line with the time of the last one lost says how many', async () => {
    const reader = new SlowReader();
    const live = createLiveOutput(reader, () => {}, 10);
    live.push(source, 1, Buffer.from('0123456789a\n'));
    await turn();
    for (const t of [2, 3, 4]) expect(live.push(source, t, Buffer.from('lost\n'))).toBe(false);
    expect(live.dropped).toBe(3);
    reader.take();
    await turn();
    expect(live.push(source, 5, Buffer.from('b\n'))).toBe(true);
    await turn();
    expect(reader.writes).toEqual(['0123456789a\n', 'drop 3 at 4\nb\n']);
  });

  test('losses just before the end are said too', async () => {
    const reader = new SlowReader();
    const live = createLiveOutput(reader, () => {}, 3);
    live.push(source, 1, Buffer.from('abcd\n'));
    live.push(source, 2, Buffer.from('lost\n'));
    const ended = live.end(10_000);
    await turn();
    reader.take();
    await turn();
    reader.take();
    await ended;
    expect(reader.writes.join('')).toBe('abcd\ndrop 1 at 2\n');
  });

  test('a reader that went away is told once, as null; other failures by their code', async () => {
    const heard: unknown[] = [];
    const reader = new SlowReader();
    const live = createLiveOutput(reader, (failure) => void heard.push(failure));
    live.push(source, 1, Buffer.from('a\n'));
    await turn();
    reader.take(Object.assign(new Error('gone'), { code: 'EPIPE' }));
    await turn();
    expect(heard).toEqual([null]);
    expect(live.closed).toBe(true);
    expect(live.push(source, 2, Buffer.from('b\n'))).toBe(false);
    await live.end(10_000);

    const full = new SlowReader();
    createLiveOutput(full, (failure) => void heard.push(failure?.code)).push(source, 1, Buffer.from('a\n'));
    await turn();
    full.take(Object.assign(new Error('full'), { code: 'ENOSPC' }));
    await turn();
    expect(heard).toEqual([null, 'E_DISK_FULL']);
  });

  test('a reader that takes nothing is not waited for without end', async () => {
    const reader = new SlowReader();
    const live = createLiveOutput(reader, () => {});
    live.push(source, 1, Buffer.from('a\n'));
    await live.end(20);
    expect(reader.writes).toEqual(['a\n']);
  });
});
