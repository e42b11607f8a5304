// Doubling, with every detector on: a message costs the same on a tape twice as long, and with its like spread over more symbols.
//
// How it is doubled: tapes of R, 2R and 4R repeats of the session, and the 4R over two symbols and over four, which all start at
// the same time. So the last three hold the same messages to the last, and of each symbol whole repeats.
import { run } from './measure.mjs';
import { repeatsFor, times } from './session.mjs';
import { nameOf, rename } from './spread.mjs';
import { makeTape } from './tapes.mjs';
import { checkCounts } from './work.mjs';

/** The session `repeats` times for each of so many symbols, as one folder. */
async function makeSymbols({ lines, folder, symbols, repeats, tapedeck, symbol }) {
  const shape = { folder, name: `doubling-${symbols}-${repeats}`, repeats, tapedeck };
  let tape;
  for (let n = 0; n < symbols; n++) {
    const name = nameOf(n);
    tape = await makeTape({ ...shape, lines: lines.map((line) => rename(line, symbol, name)), symbol: name });
  }
  // the tape is of the whole folder, its counts of the last symbol
  return { ...tape, counts: times(tape.counts, symbols) };
}

/** @param bytes about how much text the longest tape has; it is as many whole sessions as four symbols can share */
export async function doublingGroup({ lines, bytes, tapedeck, folder, symbol, say }) {
  const once = Math.max(1, Math.round(repeatsFor(lines, bytes) / 4));
  const caseOf = async (name, symbols, repeats) => {
    say(`making tapes for '${name}'`);
    const tape = await makeSymbols({ lines, folder, symbols, repeats, tapedeck, symbol });
    return { name, tape, command: `${tapedeck} scan ${tape.path} --format json > /dev/null` };
  };
  const cases = [
    await caseOf('all detectors', 1, once),
    await caseOf('twice as long', 1, 2 * once),
    await caseOf('four times as long', 1, 4 * once),
    await caseOf('that over 2 symbols', 2, 2 * once),
    await caseOf('that over 4 symbols', 4, once),
  ];
  const [short, twice, long, two, four] = cases.map(({ name }) => name);
  return {
    title: 'detectors',
    cores: 'one core',
    cases,
    claims: [
      { of: twice, against: short, atMost: 1.1 },
      { of: long, against: twice, atMost: 1.1 },
      {
        of: long,
        against: twice,
        beyond: short,
        atMost: 1.15,
        what: 'cost of the second half of a tape / the quarter before',
      },
      { of: two, against: long, atMost: 1.3 },
      { of: four, against: long, atMost: 1.3 },
    ],
    flat: [short, twice, long],
    grows: [long, twice],
    async check(results) {
      const signals = [];
      for (const { name, tape } of cases) {
        const { stdout } = await run(`${tapedeck} scan ${tape.path} --checksum --format json`, { cores: null });
        checkCounts(name, stdout, tape.counts);
        signals.push(stdout.split('\n').filter((line) => line.startsWith('{"time":')).length);
      }
      checkSignals(signals);
      const peak = (name) => `${results[name].peakMB.toFixed(0)} MB`;
      return [
        `Peak memory of all detectors: ${peak(short)}, of a tape twice as long ${peak(twice)}, four times ${peak(long)}; that over 2 symbols ${peak(two)}, over 4 symbols ${peak(four)}.`,
      ];
    },
  };
}

/** Each of two symbols is the tape twice as long under another name, and each of four the shortest one. */
function checkSignals([short, twice, , two, four]) {
  if (short === 0 || two !== 2 * twice || four !== 4 * short)
    throw new Error(
      `unequal work: ${short} and ${twice} signals of one symbol, ${two} of two and ${four} of four like it`,
    );
}
