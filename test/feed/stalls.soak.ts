/** A recorder stopped for five seconds, and over a full disk, again and again: what was sent is on the tape. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { createRig, type Rig, until } from './harness.js';

const root = new URL('../..', import.meta.url).pathname;
/** `TAPEDECK_SOAK_ROUNDS=1 npm run soak` is a short one. */
const rounds = Number(process.env.TAPEDECK_SOAK_ROUNDS ?? 20);
const STALL_MS = 5_000;

let rig: Rig;
let child: ChildProcess;

afterEach(async () => {
  child.kill('SIGKILL');
  await rig.close();
});

/** Bytes in the files of a folder. */
const writtenIn = (folder: string): number =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).size, 0);

const limit = (bytes: string): unknown => execFileSync('prlimit', ['--pid', String(child.pid), `--fsize=${bytes}:`]);

test.each([
  ['stopped', () => child.kill('SIGSTOP'), () => child.kill('SIGCONT'), 0],
  ['disk full', () => limit('0'), () => limit('10000000000'), 1],
] as const)(`%s, ${rounds} times for 5 s`, async (_, begin, end, status) => {
  rig = await createRig({ rate: 2000 });
  const words = ['bin/tapedeck.js', 'record', 'binance-usdm:BTCUSDT', '-o', rig.out, '--flush', '100ms'];
  const places = ['--endpoint', rig.exchange.wsUrl, '--rest-endpoint', rig.exchange.httpUrl];
  child = spawn(process.execPath, [join(root, words[0]), ...words.slice(1), ...places], { stdio: 'ignore' });
  const ended = new Promise((resolve) => child.on('close', resolve));
  for (let round = 0; round < rounds; round++) {
    const { sent } = rig.exchange;
    await until('messages are sent', () => rig.exchange.sent > sent + 1000);
    begin();
    await pause(STALL_MS);
    const before = writtenIn(rig.out);
    end();
    await until('lines are written again', () => writtenIn(rig.out) > before);
  }
  const { sent } = rig.exchange;
  await until('messages are sent', () => rig.exchange.sent > sent + 5000);
  child.kill('SIGINT');
  expect(await ended).toBe(status);
  await rig.exchange.stop();
  expect((await rig.recorded(['BTCUSDT'])).toSorted()).toEqual((await rig.sent()).toSorted());
  expect((await rig.entries()).filter((entry) => 'gap' in entry || 'drop' in entry)).toEqual([]);
});
