/** One of two connections cut every 2 s for 5 minutes, as `redundancy.test.ts` does for 20 s. */
import { test } from 'vitest';
import { CUT_VENUES, expectNothingLost, recordCut } from './cuts.js';

/** `TAPEDECK_SOAK_SECONDS=30 npm run soak` is a short one. */
const seconds = Number(process.env.TAPEDECK_SOAK_SECONDS ?? 300);

// they share a machine, and mostly wait
test.concurrent.each(CUT_VENUES)(`$venue, ${seconds} s`, (its) =>
  recordCut({ ...its, redundancy: 2, seconds, everyMs: 2_000 }, expectNothingLost),
);
