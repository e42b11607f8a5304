// Many symbols: the same messages spread over 200 tapes cost about what those of one symbol cost.
import { join } from 'node:path';
import { run } from './measure.mjs';
import { instrumentOf, makeSpread, SYMBOLS } from './spread.mjs';
import { checkCounts, checkSame } from './work.mjs';

const BASELINE = new URL('json-baseline.mjs', import.meta.url).pathname;

/** @param piped also as one stream of all symbols, as a live recorder prints it */
export async function symbolsGroup({ lines, tape, tapedeck, folder, symbol, piped }) {
  const instrument = await instrumentOf(tape);
  const spread = await makeSpread({ lines, folder, name: 'spread', symbol, instrument, repeats: tape.repeats });
  const merged = join(folder, 'merged.ndjson.zst');
  if (piped) await run(`${tapedeck} replay ${spread.path} --speed max | zstd -3 -q -c > ${merged}`, { cores: null });
  const scan = `${tapedeck} scan --detect none --checksum --format json`;
  const many = `${SYMBOLS} symbols`;
  const stream = `${SYMBOLS} symbols in one pipe`;
  const inPipes = [
    { name: 'one symbol in a pipe', command: `zstd -dc ${tape.files} | ${scan} -`, tape },
    { name: stream, command: `zstd -dc ${merged} | ${scan} -`, tape: spread },
  ];
  return {
    title: 'symbols',
    cores: 'one core',
    cases: [
      { name: 'one symbol', command: `${scan} ${tape.path}`, tape },
      { name: many, command: `${scan} ${spread.path}`, tape: spread },
      ...(piped ? inPipes : []),
    ],
    claims: [
      { of: many, against: 'one symbol', atMost: 1.3 },
      { of: stream, against: 'one symbol in a pipe', atMost: 1.3 },
    ],
    flat: ['one symbol'],
    async check(results) {
      checkCounts('the scan of one symbol', results['one symbol'].stdout, tape.counts);
      checkCounts(`the scan of ${many}`, results[many].stdout, tape.counts);
      const plain = await run(`zstd -dc ${spread.files} | node ${BASELINE}`, { cores: null });
      checkSame(many, results[many].stdout, 'JSON.parse', plain.stdout);
      if (piped) checkSame(many, results[many].stdout, stream, results[stream].stdout);
    },
  };
}
