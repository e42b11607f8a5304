/** `record` killed at any moment, in recovery and while it seals: what stood stands, and the next one goes on. Needs `npm run build`. */
import { test } from 'vitest';
import { seed } from '../seed.js';
import { killAgainAndAgain } from './kills/killer.js';

test('killed ten times', () => killAgainAndAgain(10, seed));
