/** Every venue that can be simulated, recorded over real sockets: the tape is what was sent, verified and scanned like the live stream. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { venueById } from '../../src/venues/registry.js';
import { servedVenues } from '../../src/venues/servers.js';
import { createRig, type Rig, type RigOptions, until } from './harness.js';
import { recordFor, SIMULATED } from './simulated.js';
import { follow, gapsOf, only } from './tape.js';

let rig: Rig | null = null;

afterEach(async () => {
  await rig?.close();
  rig = null;
});

async function prepare(options: RigOptions): Promise<Rig> {
  rig = await createRig({ rate: 3000, ...options });
  return rig;
}

test('no venue with a server is left out', () => {
  expect(Object.keys(SIMULATED)).toEqual(servedVenues.map(({ id }) => id));
});

describe.concurrent('three seconds of each', () => {
  test.each(Object.entries(SIMULATED))(
    '%s: what was sent is on the tape, clean, and scanned like the stream',
    (id, its) => recordFor(3, id, its),
  );
});

describe.each(Object.entries(SIMULATED))('%s', (venue, { symbols, book, opens }) => {
  // ids that skip anyway prove nothing
  if (!venueById(venue).capabilities.bookLossDetected) {
    test('a lost book update cannot be told from a skip: no gap is claimed, and the book goes on unless it crosses', async () => {
      const [symbol] = symbols;
      const rig = await prepare({ venue, symbols: [symbol], rate: 500 });
      const running = rig.start();
      await until('the book is valid', () => rig.status.valid === 1);
      rig.exchange.controls.dropNext(book, 1);
      const { received } = rig.status;
      await until('some seconds of messages came', () => rig.status.received > received + 300);
      const { gaps, reconnects } = await running.stop();
      expect(reconnects).toBe(0);
      await rig.exchange.stop();
      const ledger = await readFile(join(rig.folder, 'sent.ndjson'), 'utf8');
      expect(ledger.match(/"lost":true/g)).toHaveLength(1);
      expect(await rig.recorded([symbol])).toEqual(await rig.sent(symbol));
      // the market may move over a level that stayed
      const told = gapsOf(await rig.entries());
      expect(told.map(({ reason }) => reason)).toEqual(Array.from({ length: gaps }, () => 'crossed'));
      const { valid, lost, counts } = await follow(rig, symbol);
      expect([valid.length, lost.length]).toEqual([1 + gaps, gaps]);
      expect(counts).toMatchObject({ unknown: 0, invalid: 0, bookGaps: 0 });
    });
    return;
  }

  test('a lost book update is a gap, after which the book begins anew on the same connection', async () => {
    const [symbol] = symbols;
    const rig = await prepare({ venue, symbols: [symbol], rate: 500 });
    const running = rig.start();
    await until('the book is valid', () => rig.status.valid === 1);
    rig.exchange.controls.dropNext(book, 1);
    await until('the gap is seen', () => rig.status.gaps > 0);
    await until('the book is valid again', () => rig.status.valid === 1);
    const { reconnects } = await running.stop();
    expect(reconnects).toBe(0);
    expect(gapsOf(await rig.entries())).toMatchObject([{ stream: 'depth', reason: 'sequence' }]);
    const followed = await follow(rig, symbol);
    expect(followed.valid).toHaveLength(2);
    expect(followed.counts.crossed).toBe(0);
    const asked = only(await rig.entries(), 'http').filter(({ http }) => http.url.includes('/depth'));
    expect(asked).toHaveLength(opens ? 0 : 2);
  });
});
