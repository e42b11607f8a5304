/** Quiet markets beside a lively one: what is late is asked for on the open connection, and costs the lively one nothing. */
import { afterEach, expect, test } from 'vitest';
import { venueById } from '../../src/venues/registry.js';
import { createStreamRig, type Dialect, type StreamRig } from './fake-venue.js';
import { gapsOf } from './tape.js';

const LIVELY = 'BTCUSDT';
const QUIET = ['AUSDT', 'BUSDT', 'CUSDT', 'DUSDT'];
const CHANNELS = ['depth', 'bookTicker'];

/** All is acked. */
const acking: Dialect = (text, _script, say) => {
  const { id } = JSON.parse(text) as { id: number };
  say(`{"result":null,"id":${id}}`);
};

const rest = {
  '/fapi/v1/exchangeInfo': [
    JSON.stringify({
      symbols: [LIVELY, ...QUIET].map((symbol) => ({
        symbol,
        filters: [
          { filterType: 'PRICE_FILTER', tickSize: '0.10' },
          { filterType: 'LOT_SIZE', stepSize: '0.001' },
        ],
      })),
    }),
  ],
};

const touch = (symbol: string, id: number): string =>
  `{"stream":"${symbol.toLowerCase()}@bookTicker","data":{"e":"bookTicker","u":${id},"s":"${symbol}","b":"64010.10","B":"3.204","a":"64010.20","A":"1.000","T":1786000001231,"E":1786000001234}}`;

let rig: StreamRig;

afterEach(() => rig.close());

test('Binance: quiet markets are asked for once more with two texts, and no connection is given up', async () => {
  rig = await createStreamRig({
    ...{ venue: venueById('binance-usdm'), speak: acking, symbols: [LIVELY, ...QUIET], channels: CHANNELS },
    script: { rest },
  });
  await rig.heard(1);
  let id = 1;
  /** the lively market says something each second */
  const pass = async (seconds: number): Promise<void> => {
    for (let n = 0; n < seconds; n++) {
      rig.push(touch(LIVELY, id++));
      await rig.settled();
      await rig.advance(1_000);
    }
  };
  await pass(12);
  await rig.heard(3);
  const asked = [...QUIET.map((symbol) => `${symbol.toLowerCase()}@depth@100ms`)];
  const touches = QUIET.map((symbol) => `${symbol.toLowerCase()}@bookTicker`);
  const late = rig.server.heard.slice(1).map((text) => JSON.parse(text) as { method: string; params: string[] });
  expect(late.map(({ method }) => method)).toEqual(['UNSUBSCRIBE', 'SUBSCRIBE']);
  for (const { params } of late) expect(params).toEqual(expect.arrayContaining([...asked, ...touches]));
  for (const { params } of late) expect(params).not.toContain('btcusdt@bookTicker');
  await pass(60);
  expect(rig.status.reconnects).toBe(0);
  expect(rig.server.heard).toHaveLength(3);
  await rig.stop();
  expect(gapsOf(await rig.entries(LIVELY)).filter(({ stream }) => stream === 'bookTicker' || stream === '*')).toEqual(
    [],
  );
  // what may be missing is told where it is
  expect(gapsOf(await rig.entries(QUIET[0])).map(({ stream, reason }) => `${stream} ${reason}`)).toContain(
    'depth silence',
  );
});
