/** A topic that was refused and leaks a message all the same: it is kept, beside the tape of its symbol, and makes no book. */
import { gzipSync } from 'node:zlib';
import { afterEach, expect, test } from 'vitest';
import { bingxSwap } from '../../src/venues/bingx.js';
import { createStreamRig, type Dialect, type StreamRig } from './fake-venue.js';
import { gapsOf } from './tape.js';

const [GOOD, BAD] = ['ETH-USDT', 'OLD-USDT'];
const topicOf = (symbol: string): string => `${symbol}@incrDepth`;
const whole = (symbol: string): string =>
  `{"code":0,"dataType":"${topicOf(symbol)}","data":{"action":"all","lastUpdateId":100,"time":1786000001400,"bids":[["2651.48","93.15"]],"asks":[["2651.49","120.02"]]}}`;

/** Refuses what is suspended, and sends its book behind that. */
const speak: Dialect = (text, script, say) => {
  if (text === 'Pong') return;
  const { id, dataType } = JSON.parse(text) as { id: string; dataType: string };
  const refusal = script.refused[dataType];
  say(gzipSync(refusal ?? `{"id":"${id}","code":0,"msg":"","dataType":"","data":null}`));
  const next = script.onSubscribe[dataType]?.shift();
  if (next !== undefined) say(gzipSync(next));
};

const listed = (symbol: string): string =>
  `{"symbol":"${symbol}","quantityPrecision":2,"pricePrecision":2,"currency":"USDT","asset":"${symbol.slice(0, 3)}","status":1}`;

let rig: StreamRig;

afterEach(() => rig.close());

test('BingX: only the topic whose id was refused is left alone, and it is not asked for again', async () => {
  rig = await createStreamRig({
    ...{ venue: bingxSwap, speak, symbols: [GOOD, BAD], channels: ['depth'] },
    script: {
      rest: { '/openApi/swap/v2/quote/contracts': [`{"code":0,"msg":"","data":[${listed(GOOD)},${listed(BAD)}]}`] },
      onSubscribe: { [topicOf(GOOD)]: [whole(GOOD)], [topicOf(BAD)]: [whole(BAD)] },
      refused: { [topicOf(BAD)]: '{"id":"2","code":80015,"msg":"dataType not support","dataType":"","data":null}' },
    },
    record: { adjust: (plan) => ({ ...plan, silenceMs: null }) },
  });
  await rig.heard(1);
  await rig.advance(120);
  await rig.heard(2);
  await rig.settled();
  await rig.advance(0);
  expect(rig.status).toMatchObject({ valid: 1, received: 4 });
  await rig.advance(6_000);
  await rig.settled();
  expect(rig.notes.filter((note) => note.includes('no data of'))).toHaveLength(1);
  expect(rig.server.heard).toHaveLength(2);
  await rig.stop();
  const leaked = (lines: string[]): number => lines.filter((line) => line.includes(`"${topicOf(BAD)}","data"`)).length;
  expect([leaked(await rig.lines(BAD)), leaked(await rig.lines('_venue'))]).toEqual([0, 1]);
  expect(gapsOf(await rig.entries(BAD)).map(({ stream, reason }) => `${stream} ${reason}`)).toContain('depth silence');
  const reports = await rig.verify();
  expect(reports.map(({ src, verified }) => [src, verified])).toContainEqual([`bingx-swap:${BAD}`, null]);
  expect(reports.flatMap(({ problems }) => problems.map(({ code }) => code))).not.toContain('NO_SNAPSHOT');
});
