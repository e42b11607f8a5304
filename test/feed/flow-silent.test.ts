/** The channel that counts as flow is acked and says nothing, while the one beside it shows that trades happen. */
import { afterEach, expect, test } from 'vitest';
import { venueById } from '../../src/venues/registry.js';
import { createStreamRig, type Dialect, type StreamRig } from './fake-venue.js';
import { gapsOf, only } from './tape.js';

const SYMBOL = 'BTCUSDT';

/** All is acked. */
const acking: Dialect = (text, _script, say) => {
  const { id } = JSON.parse(text) as { id: number };
  say(`{"result":null,"id":${id}}`);
};

const rest = {
  '/fapi/v1/exchangeInfo': [
    `{"symbols":[{"symbol":"${SYMBOL}","filters":[{"filterType":"PRICE_FILTER","tickSize":"0.10"},{"filterType":"LOT_SIZE","stepSize":"0.001"}]}]}`,
  ],
};

const trade = (id: number): string =>
  `{"stream":"btcusdt@trade","data":{"e":"trade","E":1786000001234,"T":1786000001231,"s":"BTCUSDT","t":${id},"p":"64010.20","q":"0.003","X":"MARKET","m":false}}`;
const merged = (id: number): string =>
  `{"stream":"btcusdt@aggTrade","data":{"e":"aggTrade","E":1786000001234,"s":"BTCUSDT","a":${id},"p":"64010.20","q":"0.003","nq":"0.003","f":${id},"l":${id},"T":1786000001231,"m":false}}`;

let rig: StreamRig;

afterEach(() => rig.close());

/** A recorder of both, and what they say: each on its own socket, though the venue here tells them by their topic only. */
async function start(): Promise<void> {
  rig = await createStreamRig({
    ...{ venue: venueById('binance-usdm'), speak: acking, symbols: [SYMBOL], channels: ['trade', 'aggTrade'] },
    script: { rest },
  });
  await rig.heard(2);
  await rig.settled();
}

/** Says so many, a second apart. */
async function say(count: number, ...kinds: ((id: number) => string)[]): Promise<void> {
  for (let n = 0; n < count; n++) {
    id++;
    for (const text of kinds) rig.push(text(id));
    await rig.settled();
    await rig.advance(1_000);
  }
}
let id = 0;

const told = (): string[] => rig.notes.filter((note) => note.includes('the flow is missing'));
const flowGaps = async () => gapsOf(await rig.entries(SYMBOL)).filter(({ stream }) => stream === 'trade');

test('a flow that never came is told once, and its gap lasts to the end', async () => {
  await start();
  await say(10, merged);
  expect(told()).toEqual([]);
  await say(15, merged);
  expect(told()).toEqual([
    'binance-usdm:BTCUSDT: no message of trade although aggTrade shows trades: the flow is missing',
  ]);
  await rig.stop();
  const gaps = await flowGaps();
  expect(gaps.map(({ reason }) => reason)).toEqual(['silence', 'silence']);
  const reports = await rig.verify();
  expect(reports.flatMap(({ problems }) => problems.map(({ code }) => code))).toContain('NO_FLOW');
});

test('a flow that stops and comes back was missing from its last message to its next', async () => {
  await start();
  await say(3, trade, merged);
  await say(12, merged);
  expect(told()).toHaveLength(1);
  await say(2, trade, merged);
  await rig.stop();
  const entries = await rig.entries(SYMBOL);
  const flow = only(entries, 'msg').filter(({ msg }) => JSON.stringify(msg).includes('"trade"'));
  const gaps = (await flowGaps()).filter(({ reason }) => reason === 'silence');
  expect(gaps.map(({ from }) => from)).toEqual([flow[2].t, flow[2].t]);
  const last = only(entries, 'gap').findLast(({ gap }) => gap.stream === 'trade' && gap.reason === 'silence');
  expect(last?.t).toBeLessThan(flow[3].t);
  expect(told()).toHaveLength(1);
});

test('where the flow speaks, or both are quiet, nothing is told', async () => {
  await start();
  await say(15, trade, merged);
  await rig.advance(60_000);
  await say(5, merged);
  await say(1, trade);
  expect(told()).toEqual([]);
});
