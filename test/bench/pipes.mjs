// Replay and import against the plain tools that move the same bytes.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './measure.mjs';
import { importCommand } from './tapes.mjs';

export function replayGroup({ tape, tapedeck }) {
  const replay = `${tapedeck} replay ${tape.path} --speed max`;
  return {
    title: 'replay',
    cores: 'one core',
    cases: [
      { name: 'zstd -dc to a pipe', command: `zstd -dc ${tape.files} | cat > /dev/null`, tape },
      { name: 'replay --speed max to a pipe', command: `${replay} | cat > /dev/null`, tape },
    ],
    claims: [{ of: 'replay --speed max to a pipe', against: 'zstd -dc to a pipe', must: 0.7 }],
    flat: ['replay --speed max to a pipe'],
    async check() {
      const [one, two] = [await run(`zstd -dc ${tape.files} | sha256sum`), await run(`${replay} | sha256sum`)];
      if (one.stdout !== two.stdout) throw new Error('replay prints other bytes than zstd');
    },
  };
}

/** @param tape one whose archive was kept */
export function importGroup({ tape, tapedeck, folder, symbol }) {
  const again = join(folder, 'again');
  mkdirSync(again);
  const { archive } = tape;
  const text = { bytes: tape.archiveBytes, counts: tape.counts };
  return {
    title: 'import',
    cores: 'one core',
    cases: [
      { name: 'zcat | zstd -9', command: `zcat ${archive} | zstd -9 -q -c > ${again}.zst`, tape: text },
      {
        name: 'import hftbacktest',
        command: `${importCommand({ tapedeck, archive, symbol, out: again })} > /dev/null`,
        tape: text,
        // the same archive gives the same tape, so each round's result can be held against the one in use
        after: `cat $(find ${again} -name '*.zst') | cmp - ${tape.files} && rm -r ${again}/*`,
      },
    ],
    claims: [{ of: 'import hftbacktest', against: 'zcat | zstd -9', must: 1 }],
    flat: ['import hftbacktest'],
    async check() {},
  };
}
