// Start-up: how long the shortest commands take, as multiples of a Node process that does nothing.
import { spawnSync } from 'node:child_process';
import { median } from './measure.mjs';

const SMALL_TAPE = new URL('../../fixtures/full/binance-usdm/BTCUSDT', import.meta.url).pathname;
const MOST = 2.5;
const ROUNDS = 15;

export function measureStartup({ bin, say }) {
  say('start-up:');
  const cases = {
    'node -e 0': ['-e', '0'],
    'tapedeck --help': [bin, '--help'],
    'tapedeck scan': [bin, 'scan', SMALL_TAPE],
  };
  const seconds = Object.fromEntries(Object.keys(cases).map((name) => [name, []]));
  for (let round = 0; round < ROUNDS; round++)
    for (const [name, words] of Object.entries(cases)) seconds[name].push(secondsOf(words));
  const faults = [];
  const parts = Object.entries(seconds).map(([name, own]) => {
    const times = median(own.map((value, n) => value / seconds['node -e 0'][n]));
    if (times >= MOST)
      faults.push({ speed: true, text: `${name} takes ${times.toFixed(2)} times node -e 0, under ${MOST}` });
    return `\`${name}\` ${(median(own) * 1e3).toFixed(0)} ms (${times.toFixed(2)} times)`;
  });
  return { notes: [`Start-up: ${parts.join(', ')} of a small tape; under ${MOST} times.`], faults };
}

/** No shell in between: its own start would count on both sides. */
function secondsOf(words) {
  const started = process.hrtime.bigint();
  const { status } = spawnSync(process.execPath, words, { stdio: ['ignore', 'ignore', 'inherit'] });
  const seconds = Number(process.hrtime.bigint() - started) / 1e9;
  if (status !== 0) throw new Error(`node ${words.join(' ')} ended with ${status}`);
  return seconds;
}
