/** Several flows as one in order of `t`: a stable merge that moves runs of lines, never single objects. */
import type { Damage, LineBatch, LineFlow } from '../model/batch.js';
import { firstTimeOf, lastTimeOf } from './checkpoints.js';
import { anyTimeOf, endOfLine, timeOf } from './line.js';

interface Head {
  items: AsyncIterator<LineBatch | Damage>;
  batch: LineBatch | null;
  /** `t` of the first and of the last line not yet given out */
  t: number;
  last: number;
}

/**
 * Merges flows by `t`. Lines of equal `t` come in the order of the inputs, lines of one input keep their order, and
 * damage comes where its flow meets it. A batch is a run of lines that no other flow's next line precedes.
 */
export async function* interleave(flows: readonly LineFlow[]): LineFlow {
  if (flows.length === 1) {
    yield* flows[0];
    return;
  }
  const heads: Head[] = flows.map((flow) => ({
    items: flow[Symbol.asyncIterator](),
    batch: null,
    t: Number.NEGATIVE_INFINITY,
    last: 0,
  }));
  const open = [...heads];
  try {
    for (const head of heads) yield* advance(head, open);
    while (open.length > 0) {
      const first = open.reduce((best, head) => (head.t < best.t ? head : best));
      const { limit, inclusive } = boundary(open, first);
      const batch = first.batch!;
      const end = runEnd(batch, first, limit, inclusive);
      yield end === batch.to ? batch : { ...batch, to: end };
      if (end === batch.to) yield* advance(first, open);
      else restart(first, batch, end);
    }
  } finally {
    for (const head of heads) await head.items.return?.();
  }
}

/** Moves to the flow's next batch, passing damage on; a flow that ends leaves `open`. */
async function* advance(head: Head, open: Head[]): LineFlow {
  for (;;) {
    const { value, done } = await head.items.next();
    if (done === true) {
      head.batch = null;
      open.splice(open.indexOf(head), 1);
      return;
    }
    if ('damage' in value) {
      yield value;
      continue;
    }
    head.batch = value;
    // a batch without any time (broken lines) goes out at once, in its place
    head.t = firstTimeOf(value.bytes, value.from, value.to);
    if (Number.isNaN(head.t)) head.t = Number.NEGATIVE_INFINITY;
    head.last = lastTimeOf(value.bytes, value.from, value.to);
    return;
  }
}

/** The earliest time another flow waits with; inclusive when those come later in the order of inputs. */
function boundary(open: readonly Head[], first: Head): { limit: number; inclusive: boolean } {
  let limit = Number.POSITIVE_INFINITY;
  let inclusive = true;
  let before = true;
  for (const head of open) {
    if (head === first) before = false;
    else if (head.t < limit) {
      limit = head.t;
      inclusive = !before;
    }
  }
  return { limit, inclusive };
}

/** Index after the last line that may go out: at least one, then all up to the limit. */
function runEnd(batch: LineBatch, head: Head, limit: number, inclusive: boolean): number {
  if (!(head.last > limit || (head.last === limit && !inclusive))) return batch.to;
  let p = endOfLine(batch.bytes, batch.from, batch.to);
  while (p < batch.to) {
    let t = timeOf(batch.bytes, p);
    const end = endOfLine(batch.bytes, p, batch.to);
    if (Number.isNaN(t)) t = anyTimeOf(batch.bytes, p, end);
    if (t > limit || (t === limit && !inclusive)) break;
    p = end;
  }
  return p;
}

function restart(head: Head, batch: LineBatch, at: number): void {
  let line = batch.line;
  for (let p = batch.from; p < at; p = endOfLine(batch.bytes, p, batch.to)) line++;
  head.batch = { ...batch, from: at, line };
  head.t = firstTimeOf(batch.bytes, at, batch.to);
}
