// One core, the whole core scan: against plain decompression, against C++, with detectors on, and in TypeScript alone.
import { run } from './measure.mjs';
import { checkCounts, checkSame, sumsOf } from './work.mjs';

/** Those that the speed of the scan path was agreed with. */
const THREE = 'book-imbalance,tape-imbalance,absorption --format json';

const BASELINE = new URL('json-baseline.mjs', import.meta.url).pathname;

export function coreGroup({ tape, tapedeck, simdjson, has }) {
  const scan = `${tapedeck} scan ${tape.path} --detect none --checksum --format json`;
  const cases = [
    { name: 'zstd -dc', command: `zstd -dc ${tape.files} > /dev/null`, tape },
    ...(simdjson === null ? [] : [{ name: 'C++ simdjson', command: `${simdjson} ${tape.files}`, tape }]),
    { name: 'core scan', command: scan, tape },
    ...(has.fallback
      ? [{ name: 'core scan, TypeScript only', command: `TAPEDECK_SCANNER=typescript ${scan}`, tape }]
      : []),
    { name: 'scan, three detectors', command: `${tapedeck} scan ${tape.path} --detect ${THREE} > /dev/null`, tape },
    { name: 'scan, all detectors', command: `${tapedeck} scan ${tape.path} --format json > /dev/null`, tape },
  ];
  return {
    title: 'scan',
    cores: 'one core',
    cases,
    claims: [
      { of: 'core scan', against: 'zstd -dc', must: 0.5, goal: 0.6 },
      { of: 'core scan', against: 'C++ simdjson', must: 0.8, goal: 1 },
      { of: 'scan, three detectors', against: 'core scan', must: 0.8 },
      { of: 'scan, all detectors', against: 'zstd -dc', must: 0.35 },
      { of: 'core scan, TypeScript only', against: 'zstd -dc', must: 0.35 },
    ],
    flat: ['core scan', 'core scan, TypeScript only', 'scan, three detectors', 'scan, all detectors'],
    async check(results) {
      const own = results['core scan'].stdout;
      if (tape.counts !== undefined) checkCounts('the core scan', own, tape.counts);
      // another program, another language, another book: the same digest
      const { stdout } = await run(`zstd -dc ${tape.files} | node ${BASELINE}`, { cores: null });
      checkSame('core scan', own, 'JSON.parse', stdout);
      const { gaps } = sumsOf(stdout);
      if (gaps > 0) throw new Error(`the tape has ${gaps} gaps`);
      for (const name of ['C++ simdjson', 'core scan, TypeScript only'])
        if (results[name] !== undefined) checkSame('core scan', own, name, results[name].stdout);
      const whole = await run(`${tapedeck} scan ${tape.path} --checksum --format json | grep '^{"checksum"'`);
      checkSame('core scan', own, 'scan, all detectors', whole.stdout);
    },
  };
}
