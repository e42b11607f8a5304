// Start-up: how long the shortest commands take, as multiples of a Node process that does nothing.
import { interleaved, median } from './measure.mjs';

const SMALL_TAPE = new URL('../../fixtures/full/binance-usdm/BTCUSDT', import.meta.url).pathname;
const MOST = 2.5;
const ROUNDS = 15;

export async function measureStartup({ tapedeck, say }) {
  say('start-up:');
  const cases = [
    { name: 'node -e 0', command: 'node -e 0' },
    { name: '--help', command: `${tapedeck} --help > /dev/null` },
    { name: 'scan of a small tape', command: `${tapedeck} scan ${SMALL_TAPE} > /dev/null` },
  ];
  const results = await interleaved(cases, ROUNDS);
  const faults = [];
  const parts = cases.map(({ name }) => {
    const { seconds } = results[name];
    const times = median(seconds.map((own, n) => own / results['node -e 0'].seconds[n]));
    if (times >= MOST)
      faults.push({ speed: true, text: `${name} takes ${times.toFixed(2)} times node -e 0, under ${MOST}` });
    return `\`${name}\` ${(median(seconds) * 1e3).toFixed(0)} ms (${times.toFixed(2)} times)`;
  });
  return { notes: [`Start-up: ${parts.join(', ')}; under ${MOST} times.`], faults };
}
