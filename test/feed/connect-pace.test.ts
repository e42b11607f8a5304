/** A venue that counts connections by address: they are opened one after the other, at the start and after a loss of all. */
import { expect, onTestFinished, test } from 'vitest';
import { bybitLinear } from '../../src/venues/bybit.js';
import { venues } from '../../src/venues/registry.js';
import { bybit, createStreamRig } from './fake-venue.js';
import { until } from './harness.js';

const rest = {
  '/v5/market/instruments-info?category=linear&symbol=BTCUSDT': [
    '{"retCode":0,"retMsg":"OK","result":{"category":"linear","list":[{"symbol":"BTCUSDT","contractType":"LinearPerpetual","status":"Trading","baseCoin":"BTC","quoteCoin":"USDT","settleCoin":"USDT","priceFilter":{"tickSize":"0.10"},"lotSizeFilter":{"qtyStep":"0.001","minOrderQty":"0.001"}}],"nextPageCursor":""},"retExtInfo":{},"time":1786000001500}',
  ],
};

test('connections of one venue start no nearer to each other than it allows, also those that come back', async () => {
  const hosts = { ...bybitLinear.hosts, connectEveryMs: 700 };
  const rig = await createStreamRig({
    ...{ venue: { ...bybitLinear, hosts }, speak: bybit, symbols: ['BTCUSDT'] },
    script: { rest },
    record: { redundancy: 3 },
  });
  onTestFinished(() => rig.close());
  const { sockets } = rig.server;
  /** how many there are once so much time has gone by, and nothing more comes */
  const after = async (ms: number): Promise<number> => {
    await rig.advance(ms);
    await rig.advance(0);
    await rig.settled();
    return sockets.length;
  };
  await rig.heard(1);
  expect(await after(699)).toBe(1);
  await rig.advance(1);
  await rig.heard(2);
  expect(await after(699)).toBe(2);
  await rig.advance(1);
  await rig.heard(3);
  await rig.advance(1_000);
  await rig.settled();
  const heard = rig.server.heard.length;
  for (const socket of sockets) socket.terminate();
  await until('all are lost', () => rig.status.reconnects === 3);
  await rig.heard(heard + 1);
  expect(await after(699)).toBe(4);
  await rig.advance(1);
  await rig.heard(heard + 2);
  expect(await after(699)).toBe(5);
});

test('no venue that counts them by the second is told too many', () => {
  for (const { id, hosts } of venues)
    if (id.startsWith('okx')) expect(2 * (1000 / (hosts.connectEveryMs ?? 0))).toBeLessThan(3);
});
