/** `sim`: its first line, its end, its ledger, and wrong words. */
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Writable } from 'node:stream';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type CommandIo, takesValue } from '../../src/commands/command.js';
import sim from '../../src/commands/sim.js';
import { servedVenues } from '../../src/venues/servers.js';
import { openClient } from '../serve/client.js';
import { createIo } from './run.js';

const START = 1_780_000_000_000_000;
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tapedeck-sim-'));
});
afterEach(() => rm(folder, { recursive: true }));

function fakeIo(): { io: CommandIo; stdout: PassThrough; talk: () => string; abort: () => void } {
  const abort = new AbortController();
  const stdout = new PassThrough();
  let talk = '';
  const stderr = new Writable({
    write(chunk: Buffer, _encoding, done) {
      talk += chunk.toString();
      done();
    },
  });
  const io = createIo({ stdout, stderr, signal: abort.signal, now: () => START });
  return { io, stdout, talk: () => talk, abort: () => abort.abort() };
}

/** The options as the program would hand them over, defaults filled in. */
function args(given: Record<string, unknown>): Record<string, unknown> {
  const filled: Record<string, unknown> = { venue: 'binance-usdm', symbols: ['BTCUSDT'] };
  for (const [name, option] of Object.entries(sim.options))
    if (takesValue(option) && option.default !== undefined)
      filled[name] = option.parse?.(option.default) ?? option.default;
  return { ...filled, ...given };
}

async function firstLine(stdout: PassThrough): Promise<string[]> {
  const [chunk] = (await once(stdout, 'data')) as [Buffer];
  const text = chunk.toString();
  expect(text).toMatch(/^ws:\/\/127\.0\.0\.1:\d+ http:\/\/127\.0\.0\.1:\d+\n$/);
  return text.trim().split(' ');
}

test('it says where it is, serves, and stops at a signal', async () => {
  const { io, stdout, talk, abort } = fakeIo();
  const ledger = join(folder, 'sent.ndjson');
  const run = sim.run(args({ ledger, rate: 5000 }), io);
  const [ws, http] = await firstLine(stdout);
  const info = (await (await fetch(`${http}/fapi/v1/exchangeInfo`)).json()) as { symbols: { symbol: string }[] };
  expect(info.symbols.map(({ symbol }) => symbol)).toEqual(['BTCUSDT']);
  const client = await openClient(`${ws}/public/ws/btcusdt@bookTicker`);
  await client.until(() => client.heard.length >= 20);
  abort();
  expect(await run).toBe(0);
  expect((await client.closed).code).toBe(1001);
  const sent = (await readFile(ledger, 'utf8')).match(/"msg":/g) ?? [];
  expect(sent.length).toBe(client.heard.length);
  expect(talk()).toBe(`sent ${sent.length} messages\n`);
});

test('it speaks the protocol of the venue asked for, and its help names all it can', async () => {
  const { io, stdout, abort } = fakeIo();
  const run = sim.run(args({ venue: 'okx-swap', symbols: ['BTC-USDT-SWAP'] }), io);
  const [ws, http] = await firstLine(stdout);
  const listed = (await (await fetch(`${http}/api/v5/public/instruments?instType=SWAP`)).json()) as { data: unknown };
  expect(listed.data).toMatchObject([{ instId: 'BTC-USDT-SWAP', ctVal: '0.01' }]);
  const client = await openClient(`${ws}/ws/v5/public`);
  client.send('ping');
  await client.until(() => client.heard.length > 0);
  expect(client.heard).toEqual(['pong']);
  abort();
  expect(await run).toBe(0);
  const able = servedVenues.map(({ id }) => id);
  expect(able).toContain('bybit-spot');
  expect(sim.positionals.venue.describe).toContain(able.join(', '));
});

test('it stops after its duration of data time', async () => {
  const { io, stdout } = fakeIo();
  const run = sim.run(args({ duration: 50_000, start: START }), io);
  await firstLine(stdout);
  expect(await run).toBe(0);
});

test('unknown venues and symbols are refused before anything is opened', async () => {
  const { io } = fakeIo();
  await expect(sim.run(args({ venue: 'nowhere' }), io)).rejects.toMatchObject({ code: 'E_VENUE' });
  await expect(sim.run(args({ symbols: ['btc'] }), io)).rejects.toMatchObject({ code: 'E_SYMBOL' });
  await expect(sim.run(args({ venue: 'okx-spot' }), io)).rejects.toMatchObject({ code: 'E_SYMBOL' });
});

test('an offset is no start', () => {
  const { start } = sim.options;
  if (!takesValue(start)) throw new Error('start takes a value');
  expect(() => start.parse?.('+90s')).toThrow(expect.objectContaining({ code: 'E_USAGE' }));
  expect(start.parse?.('2024-08-08T12:00:00Z')).toBe(1_723_118_400_000_000);
});
