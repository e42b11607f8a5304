/** Signs of market orders: parent orders worked in pieces, which gives the long memory of real tapes. */
import type { OrderSide } from './engine.js';
import type { Mood } from './mood.js';
import type { Random } from './prng.js';

/** Parents worked at the same time; more of them weaken the memory. */
const PARENTS = 3;
/** The longest parent, in pieces; lengths are heavy-tailed (`P(L > l) = 1 / l`). */
const LONGEST = 120;

export interface SignedFlow {
  /** side of the next market order */
  next(mood: Mood): OrderSide;
  /** a new mood: parents against a one-sided mood give up, so that it starts at once */
  turn(mood: Mood): void;
}

export function createFlow(random: Random): SignedFlow {
  const parents: { side: OrderSide; left: number }[] = [];

  const draw = (mood: Mood): { side: OrderSide; left: number } => ({
    side: random.chance(mood.bias) ? mood.side : mood.side === 1 ? -1 : 1,
    left: Math.ceil(Math.min(LONGEST, 1 / (1 - random.next()))),
  });

  return {
    turn(mood) {
      if (mood.bias > 0.7) parents.length = 0;
    },
    next(mood) {
      while (parents.length < PARENTS) parents.push(draw(mood));
      const index = random.below(PARENTS);
      const parent = parents[index];
      if (--parent.left <= 0) parents[index] = draw(mood);
      return parent.side;
    },
  };
}
