/** What the market is in the mood for: calm stretches and the episodes detectors look for, drawn from a seed. */
import type { OrderSide } from './engine.js';
import type { Random } from './prng.js';

export type MoodName = 'calm' | 'quiet' | 'burst' | 'pressure' | 'skew' | 'absorption' | 'sweep';

export interface Mood {
  name: MoodName;
  /** pressure, absorption and sweep: the aggressor; skew: the heavy side of the book */
  side: OrderSide;
  /** seconds since the start of the simulation */
  until: number;
  /** factor on the rate of everything */
  activity: number;
  /** factor on the share of market orders */
  taking: number;
  /** probability that a new parent order trades on `side` */
  bias: number;
}

const TRAITS: Record<MoodName, { seconds: [number, number]; activity: number; taking: number; bias: number }> = {
  calm: { seconds: [5, 14], activity: 1, taking: 1, bias: 0.5 },
  quiet: { seconds: [1, 3], activity: 0.25, taking: 0.6, bias: 0.5 },
  burst: { seconds: [0.5, 1.5], activity: 2.5, taking: 1.3, bias: 0.5 },
  pressure: { seconds: [5, 8], activity: 1.15, taking: 1.6, bias: 0.96 },
  skew: { seconds: [3, 6], activity: 1, taking: 0.8, bias: 0.5 },
  absorption: { seconds: [5, 7], activity: 1.2, taking: 2.6, bias: 1 },
  sweep: { seconds: [0.4, 0.8], activity: 1.5, taking: 1, bias: 0.8 },
};

/** Every mood but calm, as often as it should come between calm stretches. */
const BAG: MoodName[] = ['absorption', 'skew', 'pressure', 'sweep', 'sweep', 'burst', 'burst', 'quiet', 'quiet'];

/** How long the scripted opening's moods last: short tapes should show a skewed book and an absorption too. */
const OPENING: [MoodName, number][] = [
  ['calm', 0.4],
  ['skew', 2.8],
  ['calm', 0.4],
  ['absorption', 6],
];

/** A source of moods: each call gives the one that follows. */
export function createMoods(random: Random): (after: number) => Mood {
  let opening = 0;
  let bag: MoodName[] = [];
  let calmNext = true;

  const make = (name: MoodName, from: number, seconds: number): Mood => {
    const { activity, taking, bias } = TRAITS[name];
    return { name, side: random.chance(0.5) ? 1 : -1, until: from + seconds, activity, taking, bias };
  };

  return (after) => {
    if (opening < OPENING.length) {
      const [name, seconds] = OPENING[opening++];
      return make(name, after, seconds);
    }
    const calm = calmNext;
    calmNext = !calmNext;
    if (calm) return make('calm', after, random.between(...TRAITS.calm.seconds));
    if (bag.length === 0) bag = [...BAG];
    const [name] = bag.splice(random.below(bag.length), 1);
    return make(name, after, random.between(...TRAITS[name].seconds));
  };
}
