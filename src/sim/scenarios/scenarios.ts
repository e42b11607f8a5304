/** All scripted scenarios, by the numbers of the known answers; S15 to S17, S19 and S20 are ways to tell them and to read them. */
import type { Scenario } from './scenario.js';
import { S1, S1Skewed, S2, S9Absorption, S9Exhaustion, S10, S10Trending } from './scenes-flow.js';
import { S4Pull, S5, S6, S6Pulled } from './scenes-levels.js';
import { S3, S3Refilled, S4, S7Refilled, S7WallPulled, S8, S8Opposed } from './scenes-orders.js';
import { S11, S11Later, S11Trades, S12, S12Stream, S13, S14, S14Swapped, S18 } from './scenes-trouble.js';

export const scenarios: readonly Scenario[] = [
  ...[S1, S1Skewed, S2, S3, S3Refilled, S4, S4Pull, S5, S6, S6Pulled, S7Refilled, S7WallPulled, S8, S8Opposed],
  ...[S9Exhaustion, S9Absorption, S10, S10Trending],
  ...[S11, S11Later, S11Trades, S12, S12Stream, S13, S14, S14Swapped, S18],
];
