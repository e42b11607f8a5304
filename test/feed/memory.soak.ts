/** Half an hour of recording with flat memory. Needs `npm run build`. */
import { test } from 'vitest';
import { recordFlat } from './memory.js';

/** `TAPEDECK_SOAK_MINUTES=1 npm run soak` is a short one. */
const minutes = Number(process.env.TAPEDECK_SOAK_MINUTES ?? 30);

test(`${minutes} minutes`, () => recordFlat(minutes * 60));
