/** Each fault once against a recorder of Binance USD-M, then many mixed: what arrived stands, what was lost is said, nothing is made up. */
import { describe, test, vi } from 'vitest';
import { venueById } from '../../src/venues/registry.js';
import { seed } from '../seed.js';
import { faultsOf } from './faults/cases.js';
import { runFault, runMixed } from './faults/run.js';

const venue = 'binance-usdm';
const FAULTS = faultsOf(venueById(venue));

vi.setConfig({ maxConcurrency: 10 });

// they mostly wait, so they wait together
describe.concurrent('one fault', () => {
  test.each(FAULTS)('$name', (fault) => runFault(fault, { venue, symbol: 'BTCUSDT', seed }));
});

test('many faults, one into the other', () =>
  runMixed(
    FAULTS.filter(({ server }) => server === undefined),
    8,
    { venue, symbol: 'BTCUSDT', seed },
  ));
