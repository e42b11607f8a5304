/** The properties of several connections, many times each: TAPEDECK_SOAK_RUNS, 500 where it is not set. */
import { describeUnion } from './union-properties.js';

describeUnion(Number(process.env.TAPEDECK_SOAK_RUNS ?? 500));
