/** `record` as a user runs it: signals, kills, pipes and full disks. Needs `npm run build`. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeAll, expect, test } from 'vitest';
import { verifyTapes } from '../../src/audit/verify.js';
import { listSegments } from '../../src/tape/reader.js';
import { recoverFolder } from '../../src/tape/recover.js';
import { createRig, type Rig, until } from './harness.js';
import { startServer } from './server.js';

const root = new URL('../..', import.meta.url).pathname;
const bin = join(root, 'bin/tapedeck.js');

let rig: Rig;
const children: ChildProcess[] = [];

beforeAll(() => {
  expect(existsSync(join(root, 'dist/bundle/cli.cjs')), 'dist/ is missing: run npm run build first').toBe(true);
});

afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await rig.close();
});

interface Run {
  child: ChildProcess;
  stdout: string;
  stderr: string;
  ended: Promise<number | null>;
}

function run(command: string, words: readonly string[]): Run {
  const child = spawn(command, words, { stdio: ['ignore', 'pipe', 'pipe'] });
  children.push(child);
  const state: Run = {
    child,
    stdout: '',
    stderr: '',
    ended: new Promise((resolve) => child.on('close', (status) => resolve(status))),
  };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    state.stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    state.stderr += text;
  });
  return state;
}

const endpoints = (): string[] => ['--endpoint', rig.exchange.wsUrl, '--rest-endpoint', rig.exchange.httpUrl];

/** Starts `tapedeck record` on the rig's exchange. */
const record = (...words: string[]): Run =>
  run(process.execPath, [bin, 'record', 'binance-usdm:BTCUSDT', ...words, ...endpoints()]);

test.each(['SIGINT', 'SIGTERM'] as const)(
  '%s seals the tape and prints what came and what was written',
  async (signal) => {
    rig = await createRig({ rate: 2000 });
    const { child, ended, ...streams } = record('-o', rig.out);
    await until('messages were sent', () => rig.exchange.sent > 1000);
    child.kill(signal);
    expect(await ended).toBe(0);
    await rig.exchange.stop();
    const sent = await rig.sent();
    const recorded = await rig.recorded(['BTCUSDT']);
    expect(recorded.toSorted()).toEqual(sent.toSorted());
    expect(streams.stdout).toBe('');
    expect((await listSegments([rig.out])).map(({ sealed }) => sealed)).toEqual([true]);
  },
);

test('the summary counts messages, answers of the exchange included', async () => {
  rig = await createRig();
  const recorder = record('-o', rig.out, '--duration', '500ms');
  expect(await recorder.ended).toBe(0);
  const messages = (await rig.entries()).filter((entry) => 'msg' in entry).length;
  expect(recorder.stderr).toBe(`received ${messages}, written ${messages}, dropped 0\n`);
});

test('a killed recorder loses no more than the flush interval, and the next one completes what stands', async () => {
  rig = await createRig({ rate: 2000 });
  const first = record('-o', rig.out, '--flush', '100ms');
  await until('messages were sent', () => rig.exchange.sent > 3000);
  first.child.kill('SIGKILL');
  await first.ended;
  const killed = Date.now() * 1000;
  const second = record('-o', rig.out);
  const { sent } = rig.exchange;
  await until('the second hears messages', () => rig.exchange.sent > sent + 1000);
  second.child.kill('SIGINT');
  expect(await second.ended).toBe(0);
  expect(second.stderr).toMatch(/was not sealed; \d+ lines recovered/);
  expect((await listSegments([rig.out])).map(({ sealed }) => sealed)).toEqual([true, true]);

  const entries = await rig.entries();
  const restart = entries.findIndex((entry) => 'gap' in entry);
  const gap = entries[restart];
  const lastKept = entries.slice(0, restart).findLast((entry) => 'msg' in entry || 'clock' in entry);
  expect(gap).toMatchObject({ gap: { stream: '*', reason: 'restart' } });
  expect('gap' in gap && gap.gap.from).toBeGreaterThanOrEqual(lastKept?.t ?? 0);
  // the interval, the heartbeat that flushes, and a machine with other work
  expect(killed - (lastKept?.t ?? 0)).toBeLessThan(2_000_000);

  // of each connection of the first run the tape holds the beginning of what was sent, without a hole
  await rig.exchange.stop();
  const ledger = await rig.sent();
  const recorded = await rig.recorded(['BTCUSDT']);
  const opens = entries.findIndex((entry, i) => i > restart && 'open' in entry);
  const before = entries
    .slice(0, opens)
    .filter((entry) => 'msg' in entry && JSON.stringify(entry.msg).includes('"stream"')).length;
  for (const topic of ['depth@100ms', 'trade', 'aggTrade', 'bookTicker']) {
    const mine = recorded.slice(0, before).filter((text) => text.startsWith(`{"stream":"btcusdt@${topic}"`));
    const all = ledger.filter((text) => text.startsWith(`{"stream":"btcusdt@${topic}"`));
    expect(mine).toEqual(all.slice(0, mine.length));
  }
});

test('a closed pipe ends a recording without a tape, status 0', async () => {
  rig = await createRig();
  const words = [bin, 'record', 'binance-usdm:BTCUSDT', '--stdout', ...endpoints()]
    .map((word) => `'${word}'`)
    .join(' ');
  const pipe = run('bash', ['-c', `'${process.execPath}' ${words} | head -n 5; echo "status \${PIPESTATUS[0]}"`]);
  expect(await pipe.ended).toBe(0);
  expect(pipe.stdout.trimEnd().split('\n')).toHaveLength(6);
  expect(pipe.stdout).toMatch(/\nstatus 0\n$/);
  expect(pipe.stderr).toMatch(/^received \d+, written \d+, dropped \d+\n$/);
});

/** What the files of a running process may grow to: nothing is what a full disk looks like to it. */
const limitFiles = (child: ChildProcess, bytes: string): void => {
  execFileSync('prlimit', ['--pid', String(child.pid), `--fsize=${bytes}:`]);
};

test('a full disk is told once; messages wait for it, and nothing is missing when there is space again', async () => {
  rig = await createRig({ rate: 2000 });
  const recorder = record('-o', rig.out, '--flush', '100ms');
  await until('messages were sent', () => rig.exchange.sent > 1000);
  limitFiles(recorder.child, '0');
  await until('the disk is full', () => recorder.stderr.includes('E_DISK_FULL'));
  const { sent } = rig.exchange;
  await until('messages came meanwhile', () => rig.exchange.sent > sent + 1000);
  limitFiles(recorder.child, '1000000000');
  await until('it goes on', () => recorder.stderr.includes('the tapes are written again'));
  const resumed = rig.exchange.sent;
  await until('messages came after it', () => rig.exchange.sent > resumed + 500);
  recorder.child.kill('SIGINT');
  expect(await recorder.ended).toBe(1);
  expect(recorder.stderr).toMatch(/^E_DISK_FULL: while .*no space left \(file .*; what stands is kept/m);
  expect(recorder.stderr.match(/E_DISK_FULL/g)).toHaveLength(1);
  expect(recorder.stderr).toMatch(/^received (\d+), written \1, dropped 0$/m);
  await rig.exchange.stop();
  const recorded = await rig.recorded(['BTCUSDT']);
  expect(recorded.toSorted()).toEqual((await rig.sent()).toSorted());
  expect(new Set((await listSegments([rig.out])).map(({ sealed }) => sealed))).toEqual(new Set([true]));
  const entries = await rig.entries();
  expect(entries.filter((entry) => 'gap' in entry || 'drop' in entry)).toEqual([]);
  // each segment can be read from its own checkpoint, that of the outage too
  const headers = entries.flatMap((entry, at) => ('tape' in entry ? [at] : []));
  for (const [n, at] of headers.entries())
    expect(entries.slice(at, headers[n + 1]).some((entry) => 'book' in entry)).toBe(true);
  const reports = await verifyTapes({ paths: [rig.out], stdin: Readable.from([]) });
  expect(reports.flatMap(({ problems }) => problems)).toEqual([]);
});

test('a disk that is still full at the end: what stands is kept, the rest is counted', async () => {
  rig = await createRig({ rate: 2000 });
  const recorder = record('-o', rig.out, '--flush', '100ms');
  await until('messages were sent', () => rig.exchange.sent > 1000);
  limitFiles(recorder.child, '0');
  await until('the disk is full', () => recorder.stderr.includes('E_DISK_FULL'));
  recorder.child.kill('SIGTERM');
  expect(await recorder.ended).toBe(1);
  const counts = /^received (\d+), written (\d+), dropped (\d+)$/m.exec(recorder.stderr)?.map(Number) ?? [];
  expect(counts[1]).toBe(counts[2] + counts[3]);
  expect(counts[3]).toBeGreaterThan(0);
  await recoverFolder(join(rig.out, 'binance-usdm', 'BTCUSDT'));
  expect((await rig.entries()).filter((entry) => 'msg' in entry)).toHaveLength(counts[2]);
});

test.each([
  ['a file where the folder should be', '', 'E_IO'],
  // not even root may make one there
  ['a folder that may not be written', '/sys/tapes', 'E_PERMISSION'],
])('%s ends it before anything is recorded', async (_, folder, code) => {
  rig = await createRig();
  writeFileSync(rig.out, '');
  const recorder = record('-o', folder === '' ? rig.out : folder);
  expect(await recorder.ended).toBe(2);
  expect(recorder.stderr).toMatch(new RegExp(`^tapedeck: ${code}: while making the folder of a tape: .*\\n$`));
});

test('of one that was killed before it was connected, verify says that all of it is missing', async () => {
  rig = await createRig();
  const dead = await startServer();
  dead.refuseWith = { status: 503 };
  const words = ['record', 'binance-usdm:BTCUSDT', '-o', rig.out, '--endpoint', dead.wsUrl];
  const recorder = run(process.execPath, [bin, ...words, '--rest-endpoint', rig.exchange.httpUrl]);
  await until('it was refused', () => recorder.stderr.includes('503'));
  recorder.child.kill('SIGKILL');
  await recorder.ended;
  await dead.close();
  const verify = run(process.execPath, [bin, 'verify', rig.out, '--format', 'json']);
  expect(await verify.ended).toBe(1);
  const { messages, gaps, clean, problems } = JSON.parse(verify.stdout);
  expect({ messages, gaps, clean }).toEqual({ messages: 0, gaps: 1, clean: 0 });
  expect(problems).toMatchObject([{ code: 'NOT_SEALED' }, { code: 'GAP' }]);
});

test('a second recorder on the same output refuses; a killed one does not hinder the next', async () => {
  rig = await createRig();
  const first = record('-o', rig.out);
  await until('messages were sent', () => rig.exchange.sent > 100);
  const second = record('-o', rig.out);
  expect(await second.ended).toBe(2);
  expect(second.stderr).toMatch(
    new RegExp(`^tapedeck: E_EXISTS: .*process ${first.child.pid} on .* writes there .*\\.lock`, 'm'),
  );
  first.child.kill('SIGKILL');
  await first.ended;
  expect(existsSync(join(rig.out, 'binance-usdm', 'BTCUSDT', '.lock'))).toBe(true);
  const third = record('-o', rig.out, '--duration', '1s');
  expect(await third.ended).toBe(0);
  expect(existsSync(join(rig.out, 'binance-usdm', 'BTCUSDT', '.lock'))).toBe(false);
});

test('a recorder that was stopped for a while takes what waited for it, and nothing is missing', async () => {
  rig = await createRig({ rate: 1000 });
  const recorder = record('-o', rig.out);
  await until('messages were sent', () => rig.exchange.sent > 500);
  recorder.child.kill('SIGSTOP');
  const { sent } = rig.exchange;
  await until('messages came meanwhile', () => rig.exchange.sent > sent + 1000);
  recorder.child.kill('SIGCONT');
  const resumed = rig.exchange.sent;
  await until('messages came after it', () => rig.exchange.sent > resumed + 500);
  recorder.child.kill('SIGINT');
  expect(await recorder.ended).toBe(0);
  await rig.exchange.stop();
  expect((await rig.recorded(['BTCUSDT'])).toSorted()).toEqual((await rig.sent()).toSorted());
  expect((await rig.entries()).filter((entry) => 'gap' in entry || 'drop' in entry)).toEqual([]);
});

test('SIGHUP begins a new segment of every tape, and nothing is missing between them', async () => {
  rig = await createRig({ rate: 2000 });
  const recorder = record('-o', rig.out, '--flush', '50ms');
  await until('messages were sent', () => rig.exchange.sent > 500);
  recorder.child.kill('SIGHUP');
  await until('there are two segments', () => rig.segmentCount('BTCUSDT') === 2);
  const { sent } = rig.exchange;
  await until('messages came after it', () => rig.exchange.sent > sent + 500);
  recorder.child.kill('SIGHUP');
  await until('there are three segments', () => rig.segmentCount('BTCUSDT') === 3);
  recorder.child.kill('SIGINT');
  expect(await recorder.ended).toBe(0);
  await rig.exchange.stop();
  expect((await rig.recorded(['BTCUSDT'])).toSorted()).toEqual((await rig.sent()).toSorted());
  expect((await listSegments([rig.out])).map(({ sealed }) => sealed)).toEqual([true, true, true]);
});

test('SIGHUP means nothing where no tape is written', async () => {
  rig = await createRig();
  const recorder = record('--stdout');
  await until('lines come', () => recorder.stdout.split('\n').length > 50);
  recorder.child.kill('SIGHUP');
  const { length } = recorder.stdout;
  await until('lines come on', () => recorder.stdout.length > length + 10_000);
  recorder.child.kill('SIGINT');
  expect(await recorder.ended).toBe(0);
});

test('--keep removes what is too much, tells it, and leaves the open segment and what is not its own', async () => {
  rig = await createRig({ rate: 2000 });
  const recorder = record('-o', rig.out, '--flush', '50ms', '--keep', '1k');
  await until('messages were sent', () => rig.exchange.sent > 500);
  const folder = join(rig.out, 'binance-usdm', 'BTCUSDT');
  writeFileSync(join(folder, 'notes.txt'), 'mine');
  const [first] = readdirSync(folder).filter((name) => name.endsWith('.zst'));
  recorder.child.kill('SIGHUP');
  await until('it is told', () => recorder.stderr.includes(`${first}: removed, as --keep asks`));
  recorder.child.kill('SIGINT');
  expect(await recorder.ended).toBe(0);
  expect(existsSync(join(folder, first))).toBe(false);
  expect(existsSync(join(folder, 'notes.txt'))).toBe(true);
  expect((await listSegments([folder])).map(({ sealed }) => sealed)).toEqual([true]);
});

test('--metrics tells the port it got, what is counted, and that all is well', async () => {
  rig = await createRig({ rate: 1000 });
  const recorder = record('-o', rig.out, '--metrics', ':0');
  await until('the port is told', () => /^metrics at (.*)\n/.test(recorder.stderr));
  const url = /^metrics at (http:\/\/127\.0\.0\.1:\d+)\/metrics\n/.exec(recorder.stderr)?.[1] ?? '';
  expect(url).not.toBe('');
  let text = '';
  const value = (name: string): number => Number(new RegExp(`^tapedeck_${name} (.*)$`, 'm').exec(text)?.[1]);
  while (!(value('received_messages_total') > 500)) text = await (await fetch(`${url}/metrics`)).text();
  expect(text).toContain('tapedeck_build_info{version="0.1.0",');
  expect(text).toContain('tapedeck_messages_total{venue="binance-usdm",symbol="BTCUSDT",stream="trade"} ');
  expect(text).toContain('tapedeck_book_valid{venue="binance-usdm",symbol="BTCUSDT"} 1');
  const health = await fetch(`${url}/health`);
  expect([health.status, await health.text()]).toEqual([200, '{"status":"ok","problems":[]}']);
  expect((await fetch(`${url}/elsewhere`)).status).toBe(404);
  expect((await fetch(`${url}/metrics`, { method: 'POST' })).status).toBe(405);
  // a port that is taken is told before anything is written
  const taken = record('-o', `${rig.out}-2`, '--metrics', new URL(url).host);
  expect(await taken.ended).toBe(2);
  expect(taken.stderr).toMatch(/^tapedeck: E_CONNECT: while listening on 127\.0\.0\.1:\d+: the port is taken\n$/);
  expect(existsSync(`${rig.out}-2`)).toBe(false);
  recorder.child.kill('SIGINT');
  expect(await recorder.ended).toBe(0);
});

test('--log-format json: every line of stderr is an object, the summary and failures among them', async () => {
  rig = await createRig({ rate: 1000 });
  const recorder = record('-o', rig.out, '--log-format', 'json');
  await until('messages were sent', () => rig.exchange.sent > 500);
  rig.exchange.controls.disconnect();
  await until('the gaps were told', () => recorder.stderr.split('"event":"gap"').length > 4);
  recorder.child.kill('SIGINT');
  expect(await recorder.ended).toBe(0);
  const log = recorder.stderr
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  const events = (name: string): Record<string, unknown>[] => log.filter(({ event }) => event === name);
  expect(events('reconnect')).toHaveLength(2);
  expect(events('reconnect')[0]).toMatchObject({ level: 'warn', venue: 'binance-usdm', code: 1006 });
  expect(events('gap').map(({ stream }) => stream)).toContain('aggTrade');
  expect(events('gap')[0]).toMatchObject({ symbol: 'BTCUSDT', reason: 'disconnect' });
  expect(log.at(-1)).toMatchObject({ level: 'info', event: 'summary', reconnects: 2, dropped: 0 });
  for (const { time } of log) expect(time).toMatch(/^\d{4}-\d\d-\d\dT[\d:]{8}\.\d{6}Z$/);

  const wrong = run(process.execPath, [bin, 'record', 'binance-usdm:BTCUSDT', '--log-format', 'json']);
  expect(await wrong.ended).toBe(2);
  expect(JSON.parse(wrong.stderr)).toMatchObject({ level: 'error', event: 'failed', code: 'E_USAGE' });
});

test.each([
  [['record', 'binance-usdm:BTCUSDT'], 'E_USAGE: give a folder with -o, or --stdout'],
  [
    ['record', 'binance-usdm:BTCUSDT', '-o', 'x', '--channels', 'depht'],
    "E_USAGE: binance-usdm has no channel 'depht'",
  ],
  [['record', 'binance-usdm:BTCUSDT', '-o', 'x', '--endpoint', 'nowhere=ws://x'], "no venue 'nowhere'"],
  [
    [
      'record',
      'binance-usdm:BTCUSDT',
      '-o',
      'x',
      '--endpoint',
      'ws://127.0.0.1:1',
      '--endpoint',
      'okx-swap=ws://127.0.0.1:1',
    ],
    "'okx-swap=ws://127.0.0.1:1' is an endpoint of a venue that is not recorded",
  ],
  [
    ['record', 'binance-usdm:BTCUSDT', '-o', 'x', '--rest-endpoint', 'okx-swap=http://127.0.0.1:1'],
    "'okx-swap=http://127.0.0.1:1' is an endpoint of a venue that is not recorded",
  ],
  [['record', 'binance-usdm:BTCUSDT', '-o', 'x', '--rotate', '5'], 'neither a time such as 1h nor a size such as 512M'],
  [['record', 'binance-usdm:BTCUSDT', '-o', 'x', '--keep', '5'], 'neither an age such as 30d nor a size such as 200G'],
  [['record', 'binance-usdm:BTCUSDT', '-o', 'x', '--metrics', 'x'], "'x' is not a place; give a port from 0 to 65535"],
])('%j is refused', async (words, message) => {
  rig = await createRig();
  const wrong = run(process.execPath, [bin, ...words]);
  expect(await wrong.ended).toBe(2);
  expect(wrong.stderr).toContain(message);
});

test('a recording of nothing ends with status 2 and one line that says so, with -q too', async () => {
  rig = await createRig();
  const silent = await startServer();
  const to = ['--endpoint', silent.wsUrl, '--rest-endpoint', rig.exchange.httpUrl];
  const words = [bin, 'record', 'binance-usdm:BTCUSDT', '-q', '-o', rig.out, ...to];
  const recorder = run(process.execPath, words);
  await until('both connections were asked', () => silent.heard.length === 2);
  recorder.child.kill('SIGINT');
  expect(await recorder.ended).toBe(2);
  expect(recorder.stderr).toBe('tapedeck: E_CONNECT: while recording: nothing was received\n');
  await silent.close();
  expect((await listSegments([rig.out])).map(({ sealed }) => sealed)).toEqual([true]);
});

test('a reader that goes away before anything came is a normal end', async () => {
  rig = await createRig();
  const silent = await startServer();
  const to = ['--endpoint', silent.wsUrl, '--rest-endpoint', rig.exchange.httpUrl];
  const recorder = run(process.execPath, [bin, 'record', 'binance-usdm:BTCUSDT', '--stdout', ...to]);
  await until('a line came', () => recorder.stdout.includes('\n'));
  recorder.child.stdout?.destroy();
  expect(await recorder.ended).toBe(0);
  await silent.close();
});
