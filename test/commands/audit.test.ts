/** `import`, `info` and `verify` as commands: what goes to stdout, what to stderr, and the exit status. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import importCommand from '../../src/commands/import.js';
import info from '../../src/commands/info.js';
import merge from '../../src/commands/merge.js';
import venuesCommand from '../../src/commands/venues.js';
import verify from '../../src/commands/verify.js';
import { venueById } from '../../src/venues/registry.js';
import { answer, bookBody, type Levels, opening, update, whole } from '../audit/bingx-lines.js';
import { archiveText, market, tapeLines, temporaryFolder } from '../audit/market-lines.js';
import { TapeBuilder } from '../scan/tape-builder.js';
import { run } from './run.js';

function importArgs(text: string): { out: string; args: Record<string, unknown> } {
  const folder = temporaryFolder();
  const file = join(folder, 'archive.dat');
  writeFileSync(file, text);
  const out = join(folder, 'tapes');
  const venue = venueById('binance-usdm');
  return { out, args: { format: 'hftbacktest', file: [file], venue, symbol: 'ABCUSDT', out } };
}

test('an archive becomes a tape, which is described and found clean', async () => {
  const { out, args } = importArgs(archiveText(market(200)));
  const imported = await run(importCommand, args);
  const path = imported.stdout.trimEnd();
  expect(imported.status).toBe(0);
  expect(path).toBe(join(out, 'binance-usdm', 'ABCUSDT', readdirSync(join(out, 'binance-usdm', 'ABCUSDT'))[0]));
  expect(imported.stderr).toMatch(
    /^imported 600 messages and 1 snapshot, .*\nwrote 606 entries, 1 checkpoint among them: /,
  );
  expect(imported.stderr).toMatch(/\ninferred: tick 0\.1, lot 0\.001\n$/);

  const described = await run(info, { tape: [out] });
  expect(described).toMatchObject({ status: 0, stderr: '' });
  expect(described.stdout).toMatch(/^binance-usdm:ABCUSDT\n {2}time +2023-11-14T22:13:19\.999997Z to /);
  expect(described.stdout).toMatch(/tick 0\.1, lot 0\.001, multiplier 1 \(inferred from messages\)/);
  expect(described.stdout).toMatch(/by tapedeck 1\.2\.3, imported from hftbacktest\n$/);
  const asJson = JSON.parse((await run(info, { tape: [out], format: 'json' })).stdout);
  expect(asJson).toMatchObject({
    src: 'binance-usdm:ABCUSDT',
    venue: 'binance-usdm',
    flow: 'trade',
    entries: 605,
    sealed: true,
    capabilities: { touchById: true },
  });

  const verified = await run(verify, { tape: [out] });
  expect(verified).toMatchObject({ status: 0, stderr: '' });
  expect(verified.stdout.split('\n')[1]).toMatch(/^binance-usdm:ABCUSDT +600 +0 +99\.83 % +100\.00 % +none$/);
  expect(verified.stdout).toMatch(/^ {2}trade +200 +0 +99\.49 % +0\.51 % +100\.00 %$/m);
  expect(verified.stdout).toMatch(/^ {2}best quotes +200 of 200 agree$/m);
  expect(verified.stdout.split('\n').filter((line) => line.length > 80)).toEqual([]);
});

test('only what was inferred is told as inferred', async () => {
  const { out, args } = importArgs(archiveText(market(20)));
  const coinm = { ...args, venue: venueById('binance-coinm'), out: join(out, 'coinm') };
  const told = async (given: Record<string, unknown>): Promise<string[]> => {
    const { stdout, stderr } = await run(importCommand, given);
    const { stdout: described } = await run(info, { tape: [stdout.trimEnd()] });
    const about = described.replace(/\n +/g, ' ').match(/multiplier \S+( \(.*?\))?/)?.[0] ?? '';
    return [...stderr.trimEnd().split('\n').slice(2), about];
  };
  expect(await told({ ...args, tick: '0.05' })).toEqual([
    'inferred: lot 0.001',
    'multiplier 1 (lot inferred from messages)',
  ]);
  expect(await told({ ...coinm, tick: '0.05', lot: '0.001' })).toEqual([
    'assumed: multiplier 1; the worth of a contract stands in no message, give --multiplier',
    'multiplier 1 (multiplier assumed)',
  ]);
});

test('on a terminal of 80 columns no line of info wraps, nor one of the table of venues', async () => {
  const tape = new TapeBuilder({ beside: ['markPrice'], start: 1_700_000_040_000_001 });
  for (let i = 0; i < 514; i++)
    tape.wait(1_000_000).mark('28138.8', { funding: '0.00002846', next: 1_700_006_400_000 + i });
  const stdin = tape.lines.map((line) => `${line}\n`).join('');
  const wide = ({ stdout }: { stdout: string }): string[] => stdout.split('\n').filter((line) => line.length > 80);
  expect(wide(await run(info, { tape: ['-'] }, stdin))).toHaveLength(2);
  const narrow = await run(info, { tape: ['-'] }, stdin, { stdoutIsTty: true });
  expect(wide(narrow)).toEqual([]);
  expect(narrow.stdout).toMatch(/^ {2}next funding {2}\S+Z at \S+Z, said\n {16}514 times$/m);
  expect(wide(await run(venuesCommand, {}, '', { stdoutIsTty: true }))).toEqual([]);
});

test('info says what was said beside the market, and how often; --quick leaves it out', async () => {
  const tape = new TapeBuilder({ beside: ['markPrice', 'forceOrder'] });
  tape.mark('100.12345678', { index: '100.2', funding: '-0.0001', next: 1_700_006_400_000 });
  tape.wait(1000).mark('100.5').liquidation(1, 1001, 3).liquidation(-1, 1000, 2);
  const text = `${tape.lines.join('\n')}\n`;
  const asText = await run(info, { tape: ['-'] }, text);
  const rows = asText.stdout.split('\n').map((row) => row.trim().split(/ {2,}/));
  expect(rows.slice(4, 9)).toEqual([
    ['mark price', '100.5 at 2023-11-14T22:14:00.001002Z, said 2 times'],
    ['index price', '100.2 at 2023-11-14T22:14:00.000001Z, said 1 time'],
    ['funding', '-0.0001 at 2023-11-14T22:14:00.000001Z, said 1 time'],
    ['next funding', '2023-11-15T00:00:00.000000Z at 2023-11-14T22:14:00.000001Z, said 1 time'],
    ['liquidations', '1 buying 3, 1 selling 2 (the venue pushes a sample)'],
  ]);
  const { beside, capabilities } = JSON.parse((await run(info, { tape: ['-'], format: 'json' }, text)).stdout);
  expect(beside.mark).toEqual({ count: 2, last: '100.5', t: 1_700_000_040_001_002 });
  expect(beside.liquidations).toEqual({ buys: 1, buySize: '3', sells: 1, sellSize: '2' });
  expect(capabilities.liquidations).toBe('sampled');
  const quick = await run(info, { tape: ['-'], quick: true }, text);
  expect(quick.stdout).not.toContain('mark price');
  expect(
    JSON.parse((await run(info, { tape: ['-'], quick: true, format: 'json' }, text)).stdout).beside,
  ).toBeUndefined();
});

test('info --profile says how messages were decoded', async () => {
  const [head, ...lines] = tapeLines(market(4));
  const odd = lines.map((line) => line.replace('"e":"trade",', '"zz":1,"e":"trade",'));
  odd[odd.length - 1] = odd[odd.length - 1].replace('"100.0"', '"-1"');
  const text = [head, ...odd].join('');
  const plain = await run(info, { tape: ['-'] }, text);
  expect(plain.stdout).not.toContain('decoded');
  const asText = await run(info, { tape: ['-'], profile: true }, text);
  expect(asText.stdout).toMatch(/^ {2}decoded +8 in usual forms, 3 with other keys, 1 by JSON\.parse \(1 invalid\)$/m);
  expect((await run(info, { tape: ['-'], profile: true }, head)).stdout).toContain('no message was decoded');
  const asJson = await run(info, { tape: ['-'], profile: true, format: 'json' }, text);
  expect(JSON.parse(asJson.stdout).profile).toEqual({ fast: 8, general: 3, slow: 1, unknown: 0, invalid: 1 });
  expect(JSON.parse((await run(info, { tape: ['-'], format: 'json' }, text)).stdout).profile).toBeUndefined();
});

test('a tape of messages without a symbol has no instrument', async () => {
  const src = 'bingx-swap:_venue';
  const [head] = opening().map((line) => line.replaceAll('bingx-swap:BTC-USDT', src).replaceAll('BTC-USDT', '_venue'));
  const text = `${head.replace('"multiplier":"1"', '"multiplier":"1","inferred":true')}{"t":1790201122000001,"src":"${src}","conn":"rec1.1","text":"Ping"}\n`;
  expect(text).toContain('"symbol":"_venue","instrument":{"symbol":"_venue"');
  const asText = await run(info, { tape: ['-'] }, text);
  expect(asText.stdout).toMatch(/^bingx-swap:_venue\n {2}time /);
  expect(asText.stdout).not.toContain('instrument');
  expect(asText.stdout).toContain('channels  depth');
  const asJson = JSON.parse((await run(info, { tape: ['-'], format: 'json' }, text)).stdout);
  expect(asJson).toMatchObject({ src, symbol: '_venue', channels: ['depth'], entries: 2 });
  expect(asJson).not.toHaveProperty('instrument');
  expect(await run(verify, { tape: ['-'] }, text)).toMatchObject({ status: 0 });
  // one symbol has one
  expect((await run(info, { tape: ['-'] }, opening().join(''))).stdout).toMatch(/instrument +linear, tick 0\.1,/);
});

test('findings: exit 1, one line each with place, in JSON the whole report', async () => {
  const received = market(30);
  const lost = received.findIndex(({ kind, id }) => kind === 'depth' && id === 5030);
  const text = tapeLines(received.filter((_, n) => n !== lost)).join('');
  const asText = await run(verify, { tape: ['-'] }, text);
  expect(asText.status).toBe(1);
  expect(asText.stdout).toMatch(/^GAP: depth messages are missing since .* \(file -, line 33\)$/m);
  const asJson = await run(verify, { tape: ['-'], format: 'json' }, text);
  expect(asJson.status).toBe(1);
  expect(Object.keys(JSON.parse(asJson.stdout))).toEqual([
    'src',
    'messages',
    'gaps',
    'verified',
    'unverifiable',
    'clean',
    'touch',
    'checksums',
    'levels',
    'checkpoints',
    'book',
    'clock',
    'drops',
    'skips',
    'missing',
    'backfilled',
    'unknown',
    'streams',
    'problems',
  ]);
  expect(JSON.parse(asJson.stdout).problems).toMatchObject([{ code: 'GAP', file: '-', frame: -1, line: 33 }]);
});

test('skipped ids are told, and are no finding', async () => {
  const bids = (size: string): Levels => [['100.0', size]];
  const lines = [...opening(), whole(0, 10, bids('1'), [['100.5', '2']]), update(1, 11, bids('2'))];
  const remark = /^bingx-swap:BTC-USDT: 3 ids skipped before 1 book update; with this venue that proves nothing$/m;
  const verified = await run(verify, { tape: ['-'] }, [...lines, update(2, 15, bids('3'))].join(''));
  expect(verified).toMatchObject({ status: 0, stdout: expect.stringMatching(remark) });
  expect((await run(verify, { tape: ['-'] }, lines.join(''))).stdout).not.toContain('skipped');
});

test('levels of books over REST: how many agreed, which are wrong, and how many nobody can tell', async () => {
  const [bids, asks]: Levels[] = [[['100.0', '1']], [['100.5', '2']]];
  const lines = [...opening(), whole(0, 10, bids, asks)];
  const read = (ms: number, bid: string, ask: string): string =>
    answer(ms, bookBody(ms, [['100.0', bid]], [['100.5', ask]]));
  const clean = await run(verify, { tape: ['-'] }, [...lines, read(5_000, '1', '2'), read(11_000, '1', '2')].join(''));
  expect(clean.status).toBe(0);
  expect(clean.stdout).toMatch(/^SRC +MESSAGES +GAPS +VERIFIED +CLEAN +PROBLEMS$/m);
  expect(clean.stdout).toMatch(/^bingx-swap:BTC-USDT +1 +0 +- +100\.00 % +none$/m);
  expect(clean.stdout).toMatch(/^ {2}levels +4 of 4 agree, in 2 books over REST$/m);
  const wrong = [...lines, read(5_000, '1', '3'), read(11_000, '8', '3')].join('');
  const asText = await run(verify, { tape: ['-'] }, wrong);
  expect(asText.status).toBe(1);
  expect(asText.stdout).toMatch(/^ {2}levels +1 of 2 agree,/m);
  expect(asText.stdout.trimEnd().split('\n').slice(-3)).toEqual([
    '',
    'bingx-swap:BTC-USDT: 1 level differed in one book over REST and not in two',
    expect.stringMatching(/^LEVEL: ask 100\.5 is 2 in the rebuilt book and 3 in .* \(file -, line 5\)$/),
  ]);
  const asJson = await run(verify, { tape: ['-'], format: 'json' }, wrong);
  expect(JSON.parse(asJson.stdout)).toMatchObject({ levels: { reads: 2, checked: 2, agreed: 1, unsettled: 1 } });
});

test('bad lines: twenty are told, all are counted, exit 1, and the rest is imported', async () => {
  const { args } = importArgs(`${'junk\n'.repeat(25)}${archiveText(market(5))}`);
  const { status, stdout, stderr } = await run(importCommand, args);
  expect(status).toBe(1);
  expect(stdout).toMatch(/\.ndjson\.zst\n$/);
  expect(stderr.match(/^E_IMPORT: .*archive\.dat, line \d+\)$/gm)).toHaveLength(20);
  expect(stderr).toMatch(/\n5 more bad lines\n/);
  expect(stderr).toMatch(/\n25 bad lines skipped\n/);
});

test('info counts damaged places as people do, exit 1', async () => {
  const file = join(temporaryFolder(), 'torn.ndjson.zst');
  const { out, args } = importArgs(archiveText(market(200)));
  const whole = readFileSync((await run(importCommand, { ...args, out })).stdout.trimEnd());
  // without its seal, and cut in a frame
  writeFileSync(file, whole.subarray(0, whole.length / 2));
  const { status, stdout } = await run(info, { tape: [file] });
  expect(status).toBe(1);
  expect(stdout).toMatch(/^ {2}damage +1 place; see tapedeck verify$/m);
});

test('merge takes no pipe, and says why', async () => {
  const { out } = importArgs('');
  await expect(run(merge, { tape: ['a', '-'], out, format: 'text' })).rejects.toMatchObject({
    ...{ code: 'E_USAGE' },
    message: "merge reads each tape more than once: '-' (stdin) comes only once",
  });
});

test('a folder with a broken file is described all the same', async () => {
  const { out, args } = importArgs(archiveText(market(5)));
  await run(importCommand, args);
  writeFileSync(join(out, 'x.ndjson.zst'), 'hello');
  const { status, stdout, stderr } = await run(info, { tape: [out] });
  expect(status).toBe(1);
  expect(stdout).toMatch(/^binance-usdm:ABCUSDT\n/);
  expect(stderr).toMatch(/x\.ndjson\.zst: .*neither zstd nor NDJSON/);
});
