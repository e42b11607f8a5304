/** Retention removes the oldest sealed segments of its own folders, and nothing else, whatever lies there. */
import fs from 'node:fs';
import { basename, join } from 'node:path';
import { expect, test } from 'vitest';
import { type Keep, type OwnFolder, Retention } from '../../src/tape/retain.js';
import { createTapeWriter } from '../../src/tape/writer.js';
import { message, opening, SRC, T0, temporaryFolder } from './tapes.js';

const HOUR = 3_600_000_000;

const ETH = 'binance-usdm:ETHUSDT';

/** A sealed segment that starts at T0 plus so many hours and holds one message half an hour later; its path. */
async function segment(out: string, hour: number, src = SRC, seal = true): Promise<string> {
  const lines: typeof opening = (next) =>
    opening(next).map(({ line, t }) => ({ line: String(line).replaceAll(SRC, src), t }));
  const writer = createTapeWriter({ out, src, now: T0 + hour * HOUR, opening: lines });
  const t = T0 + (hour + 0.5) * HOUR;
  writer.write(message(t, undefined, src), t);
  await (seal ? writer.seal() : writer.abandon());
  return writer.path;
}

const folderOf = (path: string, open: string | null = null): OwnFolder => ({
  ...{ folder: join(path, '..'), src: SRC, open },
});

const names = (paths: readonly string[]): string[] => paths.map((path) => basename(path));

test('by age: what ended longer ago than that', async () => {
  const out = temporaryFolder();
  const paths = [await segment(out, 0), await segment(out, 1), await segment(out, 2)];
  const retention = new Retention();
  const apply = (now: number): string[] =>
    names(retention.apply([folderOf(paths[0])], { age: HOUR }, now).map(({ path }) => path));
  // a segment counts from its last entry
  expect(apply(T0 + 1.5 * HOUR)).toEqual([]);
  expect(apply(T0 + 1.51 * HOUR)).toEqual(names([paths[0]]));
  expect(apply(T0 + 1.51 * HOUR)).toEqual([]);
  expect(apply(T0 + 90 * HOUR)).toEqual(names(paths.slice(1)));
});

test('by size: the oldest of all own folders, until the rest fits', async () => {
  const out = temporaryFolder();
  const eth = await segment(out, 1, ETH);
  const paths = [await segment(out, 0), await segment(out, 2), await segment(out, 3)];
  const folders = [folderOf(paths[0], paths[2]), { folder: join(eth, '..'), src: ETH, open: null }];
  const sizes = paths.map((path) => fs.statSync(path).size);
  const keep: Keep = { bytes: sizes[1] + sizes[2] };
  const removed = new Retention().apply(folders, keep, T0);
  expect(removed).toEqual([
    { path: paths[0], bytes: sizes[0] },
    { path: eth, bytes: expect.any(Number) },
  ]);
  // the open one counts and stays, however little is to be kept
  expect(names(new Retention().apply(folders, { bytes: 1 }, T0).map(({ path }) => path))).toEqual(names([paths[1]]));
  expect(fs.existsSync(paths[2])).toBe(true);
});

test('what is not sealed, not its own, not named like it or not a file stays', async () => {
  const out = temporaryFolder();
  const mine = await segment(out, 0);
  const folder = join(mine, '..');
  const unsealed = await segment(out, 1, SRC, false);
  const stranger = join(out, 'stranger');
  const foreign = await segment(stranger, 2, SRC);
  // of another symbol, under a name of this one
  const text = fs.readFileSync(await segment(join(out, 'x'), 3));
  const eth = await segment(join(out, 'y'), 0, ETH);
  const disguised = join(folder, basename(mine).replace('235415', '225415'));
  fs.copyFileSync(eth, disguised);
  const kept = [
    'notes.txt',
    'BTCUSDT-backup.ndjson.zst',
    `${basename(mine)}.bak`,
    `copy-${basename(mine)}`,
    'BTCUSDT-20200101T000000.000000Z.ndjson',
  ];
  for (const name of kept) fs.writeFileSync(join(folder, name), text);
  const torn = 'BTCUSDT-20200101T000000.000000Z.ndjson.zst';
  fs.writeFileSync(join(folder, torn), text.subarray(0, 100));
  fs.symlinkSync(foreign, join(folder, 'BTCUSDT-20200102T000000.000000Z.ndjson.zst'));
  fs.mkdirSync(join(folder, 'BTCUSDT-20200103T000000.000000Z.ndjson.zst'));
  const before = fs.readdirSync(folder);
  const removed = new Retention().apply([folderOf(mine)], { age: 1 }, T0 + 1e6 * HOUR);
  expect(removed.map(({ path }) => path)).toEqual([mine]);
  expect(fs.readdirSync(folder)).toEqual(before.filter((name) => name !== basename(mine)));
  expect(fs.existsSync(foreign)).toBe(true);
  expect(fs.existsSync(unsealed)).toBe(true);
});

test('a folder that is gone is no fault', () => {
  expect(new Retention().apply([{ folder: '/nowhere', src: SRC, open: null }], { bytes: 1 }, T0)).toEqual([]);
});
