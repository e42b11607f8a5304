// Length: a message of a long tape costs what one of a short tape costs, and memory does not grow.
import { checkCounts, checkSame } from './work.mjs';

export function longGroup({ tape, long, tapedeck, simdjson }) {
  const scan = (one) => `${tapedeck} scan ${one.path} --detect none --checksum --format json`;
  const short = `core scan of ${(tape.bytes / 1e6).toFixed(0)} MB`;
  return {
    title: 'length',
    cores: 'one core',
    cases: [
      { name: 'zstd -dc', command: `zstd -dc ${long.files} > /dev/null`, tape: long },
      ...(simdjson === null ? [] : [{ name: 'C++ simdjson', command: `${simdjson} ${long.files}`, tape: long }]),
      { name: 'core scan', command: scan(long), tape: long },
      { name: short, command: scan(tape), tape },
    ],
    claims: [
      { of: 'core scan', against: 'zstd -dc', must: 0.5, goal: 0.6, stretch: 0.75 },
      { of: 'core scan', against: 'C++ simdjson', must: 0.8, goal: 1, stretch: 1.2 },
      { of: 'core scan', against: short, atMost: 1.1 },
    ],
    flat: ['core scan', short],
    grows: ['core scan', short],
    async check(results) {
      checkCounts('the core scan', results['core scan'].stdout, long.counts);
      checkCounts('the core scan', results[short].stdout, tape.counts);
      if (simdjson !== null)
        checkSame('core scan', results['core scan'].stdout, 'C++ simdjson', results['C++ simdjson'].stdout);
      const [more, less] = [results['core scan'].peakMB, results[short].peakMB];
      return [
        `Peak memory of the core scan: ${less.toFixed(0)} MB for ${(tape.bytes / 1e6).toFixed(0)} MB of text, ${more.toFixed(0)} MB for ${(long.bytes / 1e6).toFixed(0)} MB.`,
      ];
    },
  };
}
