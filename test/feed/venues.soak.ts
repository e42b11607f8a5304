/** Every venue that can be simulated, recorded for a minute, as `venues.test.ts` does for three seconds. */
import { test } from 'vitest';
import { recordFor, SIMULATED } from './simulated.js';

/** `TAPEDECK_SOAK_SECONDS=10 npm run soak` is a short one. */
const seconds = Number(process.env.TAPEDECK_SOAK_SECONDS ?? 60);

// they share a machine, and mostly wait
test.concurrent.each(Object.entries(SIMULATED))(`%s, ${seconds} s`, (id, its) => recordFor(seconds, id, its));
