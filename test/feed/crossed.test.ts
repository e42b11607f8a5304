/** A book whose ids show no loss crosses itself: it is lost, told as that, and asked for again, though not without end. */
import { gzipSync } from 'node:zlib';
import { afterEach, expect, test } from 'vitest';
import { bingxSwap } from '../../src/venues/bingx.js';
import { createStreamRig, type Dialect, type StreamRig } from './fake-venue.js';
import { follow, gapsOf, only } from './tape.js';

const ETH = 'ETH-USDT';
const TOPIC = `${ETH}@incrDepth`;
const book = (action: string, id: number, bids: string, asks: string): string =>
  `{"code":0,"dataType":"${TOPIC}","data":{"action":"${action}","lastUpdateId":${id},"time":1786000001400,"bids":[${bids}],"asks":[${asks}]}}`;
const whole = (id: number): string =>
  book('all', id, '["2651.48","93.15"]', '["2651.49","120.02"],["2651.52","3.10"],["2651.60","2.00"]');

/** Acks that name no topic; every word is packed. */
const speak: Dialect = (text, script, say) => {
  if (text === 'Pong') return;
  const { id, reqType, dataType } = JSON.parse(text) as { id: string; reqType: string; dataType: string };
  say(gzipSync(`{"id":"${id}","code":0,"msg":"","dataType":"","data":null}`));
  const next = reqType === 'sub' ? script.onSubscribe[dataType]?.shift() : undefined;
  if (next !== undefined) say(gzipSync(next));
};

const rest = {
  '/openApi/swap/v2/quote/contracts': [
    `{"code":0,"msg":"","data":[{"symbol":"${ETH}","quantityPrecision":2,"pricePrecision":2,"currency":"USDT","asset":"ETH","status":1}]}`,
  ],
};

let rig: StreamRig;

afterEach(() => rig.close());

async function start(...wholes: string[]): Promise<void> {
  rig = await createStreamRig({
    ...{ venue: bingxSwap, speak, symbols: [ETH], channels: ['depth'] },
    script: { rest, onSubscribe: { [TOPIC]: wholes } },
    record: { adjust: (plan) => ({ ...plan, silenceMs: null }) },
  });
  await rig.heard(1);
  await rig.settled();
}

const push = async (text: string): Promise<void> => {
  rig.push(gzipSync(text));
  await rig.settled();
};
const asked = (): string[] =>
  rig.server.heard.flatMap((text) => (text === 'Pong' ? [] : [(JSON.parse(text) as { reqType: string }).reqType]));

test('a crossed book is asked for again at once, and the tape is judged alike', async () => {
  await start(whole(100), whole(200));
  await push(book('update', 101, '["2651.47","1.00"]', ''));
  expect(rig.status).toMatchObject({ gaps: 0, valid: 1 });
  // the update that took the asks away was lost
  await push(book('update', 104, '["2651.50","5.00"]', ''));
  await rig.heard(3);
  await rig.settled();
  await rig.advance(0);
  expect(asked()).toEqual(['sub', 'unsub', 'sub']);
  expect(rig.status).toMatchObject({ gaps: 1, valid: 1, reconnects: 0 });
  await rig.stop();
  const entries = await rig.entries(ETH);
  const updates = only(entries, 'msg').filter(({ msg }) => JSON.stringify(msg).includes('"update"'));
  expect(gapsOf(entries)).toEqual([{ stream: 'depth', from: updates[0].t, reason: 'crossed' }]);
  const { valid, lost } = await follow(rig, ETH);
  expect([valid.length, lost.length]).toEqual([2, 1]);
  const [report] = await rig.verify();
  expect(report.gaps).toBe(1);
});

test('a book that the venue crosses again and again is asked for less and less often', async () => {
  await start(...Array.from({ length: 20 }, (_, n) => whole(100 * n + 100)));
  for (let n = 0; n < 100; n++) {
    if (rig.status.valid === 1) await push(book('update', 10_000 + n, '["2651.50","5.00"]', ''));
    await rig.advance(1_000);
    await rig.settled();
    await rig.advance(0);
  }
  // at 0, 5, 15, 35 and 75 s
  expect(asked().filter((what) => what === 'unsub')).toHaveLength(5);
  expect(rig.status.reconnects).toBe(0);
});
