/** `record` killed two hundred times, twenty on each folder. Needs `npm run build`. */
import { test } from 'vitest';
import { seed } from '../seed.js';
import { killAgainAndAgain } from './kills/killer.js';

const KILLS = 20;
/** `TAPEDECK_SOAK_KILLS=20 npm run soak` is a short one. */
const folders = Math.ceil(Number(process.env.TAPEDECK_SOAK_KILLS ?? 200) / KILLS);

test.each(Array.from({ length: folders }, (_, n) => seed + n))(`killed ${KILLS} times, seed %i`, (one) =>
  killAgainAndAgain(KILLS, one),
);
