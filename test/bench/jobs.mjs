// Two cores: the same scan with one job and with two, on whole hours.
import { checksumsOf } from './work.mjs';

/** Work is cut at whole hours: fewer than this say little about two cores. */
const LEAST_HOURS = 8;

export function jobsGroup({ long, tapedeck }) {
  const core = `${tapedeck} scan ${long.path} --detect none --checksum --format json`;
  // signals are compared as a whole, so they go through a digest
  const whole = `${tapedeck} scan ${long.path} --format json`;
  const cases = [1, 2].flatMap((jobs) => [
    { name: `core scan --jobs ${jobs}`, command: `${core} --jobs ${jobs}`, tape: long, cores: null },
    { name: `scan --jobs ${jobs}`, command: `${whole} --jobs ${jobs} | sha256sum`, tape: long, cores: null },
  ]);
  return {
    title: 'jobs',
    cores: 'two cores',
    cases,
    claims: [
      { of: 'core scan --jobs 2', against: 'core scan --jobs 1', must: 1.4, goal: 1.5 },
      { of: 'scan --jobs 2', against: 'scan --jobs 1', must: 1.4 },
    ],
    async check(results) {
      const notes =
        long.wholeHours < LEAST_HOURS
          ? [`two cores: only ${long.wholeHours} whole hours, fewer than ${LEAST_HOURS}`]
          : [];
      const [one, two] = [1, 2].map((jobs) => JSON.stringify(checksumsOf(results[`core scan --jobs ${jobs}`].stdout)));
      if (one !== two) throw new Error(`unequal work: one job ${one}, two jobs ${two}`);
      if (results['scan --jobs 1'].stdout !== results['scan --jobs 2'].stdout)
        throw new Error('two jobs print other signals than one');
      return notes;
    },
  };
}
