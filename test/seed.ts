/** One seed for fast-check in `npm test`; TAPEDECK_SEED=random looks further, and any number repeats what it found. */
import fc from 'fast-check';

const told = process.env.TAPEDECK_SEED ?? '20261122';

/** For tests that draw without fast-check. */
export const seed = told === 'random' ? fc.sample(fc.nat(), 1)[0] : Number(told);

if (told !== 'random') fc.configureGlobal({ ...fc.readConfigureGlobal(), seed });
