/** What counts as a break by default, for those who do not ask the detector. */
import { expect, test } from 'vitest';
import { USUAL_BREAK } from '../../src/market/breaks.js';
import { USUAL_SWEEP } from '../../src/market/sweeps.js';
import { USUAL_RANGE } from '../../src/market/told-sweeps.js';
import { defaultsOf } from '../../src/signals/detector.js';
import { detectorByName } from '../../src/signals/registry.js';

test('what others take for usual are the defaults of the detector', () => {
  const { least, ...rules } = USUAL_BREAK;
  expect(defaultsOf(detectorByName('ignition'))).toMatchObject({ ...rules, volume: String(least) });
  expect(defaultsOf(detectorByName('sweep'))).toMatchObject({ ...USUAL_SWEEP, ...USUAL_RANGE, volume: '0' });
});
