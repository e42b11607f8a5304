/** Every fault on every venue that can be simulated, and long runs of many, each by a seed of its own. */
import { describe, test } from 'vitest';
import { venueById } from '../../src/venues/registry.js';
import { seed } from '../seed.js';
import { faultsOf } from './faults/cases.js';
import { runFault, runMixed } from './faults/run.js';
import { SIMULATED } from './simulated.js';

/** `TAPEDECK_SOAK_RUNS=1 npm run soak` is a short one. */
const runs = Number(process.env.TAPEDECK_SOAK_RUNS ?? 20);
const FAULTS_IN_A_RUN = 20;

describe.each(Object.entries(SIMULATED))('%s', (id, { symbols: [symbol] }) => {
  const faults = faultsOf(venueById(id));
  // they mostly wait, so they wait together
  test.concurrent.each(faults)('$name', (fault) => runFault(fault, { venue: id, symbol, seed }));

  const seeds = Array.from({ length: runs }, (_, n) => seed + n);
  test.concurrent.each(seeds)('mixed, seed %i', (one) => {
    const mixable = faults.filter(({ server }) => server === undefined);
    return runMixed(mixable, FAULTS_IN_A_RUN, { venue: id, symbol, seed: one });
  });
});
