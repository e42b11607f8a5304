/** A pipe: what is written comes out whole, in one buffer, and no sooner than it is asked for. Needs `npm run build`. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { expect, onTestFinished, test } from 'vitest';

const MODULE = JSON.stringify(join(new URL('..', import.meta.url).pathname, 'dist/pipe.js'));

/** Hashes what comes, and tells in how many buffers it came. */
const HASHING = `
const { readPipe } = await import(${MODULE});
const { createHash } = await import('node:crypto');
const hash = createHash('sha256');
const buffers = new Set();
for await (const chunk of readPipe(0, new AbortController().signal)) {
  // now and then somebody else works in between
  if (chunk.length % 3 === 1) await new Promise(setImmediate);
  hash.update(chunk);
  buffers.add(chunk.buffer);
}
console.log(hash.digest('hex'), buffers.size);
`;

/** Asks for one chunk, and for no other until it is told to by a signal. */
const WAITING = `
const { readPipe } = await import(${MODULE});
const chunks = readPipe(0, new AbortController().signal);
let bytes = (await chunks.next()).value.length;
const alive = setInterval(() => {}, 1000);
process.on('SIGUSR2', async () => {
  for await (const chunk of chunks) bytes += chunk.length;
  console.log(bytes);
  clearInterval(alive);
});
console.log('waits');
`;

/** Reads until it is told to stop, by a signal or from the start. */
const stopped = (from: 'now' | 'signal'): string => `
const { readPipe } = await import(${MODULE});
const stop = new AbortController();
if (${from === 'now'}) stop.abort();
process.on('SIGUSR2', () => stop.abort());
let bytes = 0;
for await (const chunk of readPipe(0, stop.signal)) {
  bytes += chunk.length;
  console.log(bytes);
}
console.log('ended');
`;

function start(program: string): ChildProcessByStdio<Writable, Readable, null> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdout.setEncoding('utf8');
  onTestFinished(() => void child.kill());
  return child;
}

async function outputOf(child: ChildProcessByStdio<Writable, Readable, null>): Promise<string> {
  let out = '';
  for await (const text of child.stdout) out += text;
  return out;
}

test('what is written in pieces of any size comes whole, through one buffer', async () => {
  const bytes = randomBytes(3_000_000);
  const child = start(HASHING);
  const out = outputOf(child);
  for (let from = 0, size = 1; from < bytes.length; from += size, size = (size * 7) % 200_003)
    if (!child.stdin.write(bytes.subarray(from, from + size))) await once(child.stdin, 'drain');
  child.stdin.end();
  expect(await out).toBe(`${createHash('sha256').update(bytes).digest('hex')} 1\n`);
});

test('a pipe without a byte ends', async () => {
  const child = start(HASHING);
  child.stdin.end();
  expect(await outputOf(child)).toBe(`${createHash('sha256').digest('hex')} 0\n`);
});

test('no more is read than is asked for: who writes waits', async () => {
  const child = start(WAITING);
  const lines = child.stdout[Symbol.asyncIterator]();
  const bytes = 1_000_000;
  let written = false;
  child.stdin.write(Buffer.alloc(bytes), () => {
    written = true;
  });
  expect((await lines.next()).value).toBe('waits\n');
  expect(written).toBe(false);
  child.kill('SIGUSR2');
  child.stdin.end();
  expect((await lines.next()).value).toBe(`${bytes}\n`);
  expect(written).toBe(true);
});

test('who is told to stop waits for no byte more, though the pipe is open', async () => {
  const child = start(stopped('signal'));
  const out = outputOf(child);
  child.stdin.write('12345');
  child.stdout.once('data', () => child.kill('SIGUSR2'));
  expect(await out).toBe('5\nended\n');
});

test('who was told to stop before reads nothing', async () => {
  expect(await outputOf(start(stopped('now')))).toBe('ended\n');
});
