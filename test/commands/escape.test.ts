/** A tape whose names are control characters: no command puts them on a terminal as they are. Needs `npm run build`. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { listenPlace } from '../../src/commands/command.js';
import { linesIn } from '../feed/tape.js';

const root = new URL('../..', import.meta.url).pathname;
const NASTY = 'B\u001b[31m\u009b2J\u202eT\u0007';
const nasty = JSON.stringify(NASTY).slice(1, -1);

let folder: string;
let tape: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tapedeck-escape-'));
  tape = join(folder, 'nasty.ndjson');
  const lines = await linesIn(join(root, 'fixtures/gap'));
  const renamed = lines.map((line) =>
    line
      .replaceAll(':BTCUSDT"', `:${nasty}"`)
      .replaceAll('"symbol":"BTCUSDT"', `"symbol":"${nasty}"`)
      .replaceAll('"s":"BTCUSDT"', `"s":"${nasty}"`)
      .replaceAll('"stream":"btcusdt@', `"stream":"${nasty.toLowerCase()}@`)
      .replaceAll(/"(tool|recorder|conn|reason|stream)":"/g, `"$1":"${nasty}`),
  );
  writeFileSync(tape, `${renamed.filter((line) => !/"(index|end)":/.test(line.slice(0, 150))).join('\n')}\n`);
});

afterAll(() => rmSync(folder, { recursive: true }));

test.each([
  'info',
  'info --profile',
  'verify',
  'scan',
  'scan --detect none --checksum',
  'view trades',
  'view book',
  'view footprint',
])('%s', (words) => {
  const { stdout, stderr } = spawnSync(process.execPath, [join(root, 'bin/tapedeck.js'), ...words.split(' '), tape], {
    encoding: 'utf8',
  });
  const shown = stdout + stderr;
  expect(shown.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u);
  if (/info|verify|checksum|book/.test(words)) expect(shown).toContain('B\\x1b[31m\\x9b2J\\u202eT\\x07');
});

test.each([
  [':9464', '127.0.0.1', 9464],
  ['9464', '127.0.0.1', 9464],
  ['localhost:0', 'localhost', 0],
  ['0.0.0.0:1', '0.0.0.0', 1],
  ['[::1]:65535', '::1', 65535],
])('%s listens on %s: only a host that is written out is not loopback', (text, host, port) => {
  expect(listenPlace(text)).toEqual({ host, port });
});

test.each(['', ':', 'x', ':65536', '::1:80', 'a b:80', '[::1]', '-1'])('%j is no place to listen at', (text) => {
  expect(() => listenPlace(text)).toThrow(expect.objectContaining({ code: 'E_USAGE' }));
});
