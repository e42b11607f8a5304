/** One seed for fast-check in `npm test`; TAPEDECK_SEED=random looks further, and any number repeats what it found. */
import fc from 'fast-check';

const seed = process.env.TAPEDECK_SEED ?? '20261122';
if (seed !== 'random') fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: Number(seed) });
