/** Puts the rows of one message into the order of their matched times, where a venue writes them in another. */
import { EVENT_STRIDE, type EventBuffer, Field, Kind, MORE } from '../model/event.js';
import type { MessageLayout } from './layout.js';

/**
 * Orders the trades of every message among the records from `from` on. They stay the records of one message: of one line and one `t`.
 * @param layoutOf the layout that a record names, by its ORIGIN and FLAGS
 */
export function orderRows(
  out: EventBuffer,
  from: number,
  layoutOf: (origin: number, flags: number) => MessageLayout | undefined,
): void {
  const e = out.events;
  for (let i = from; i < out.count; i++) {
    const o = i * EVENT_STRIDE;
    if ((e[o + Field.FLAGS] & MORE) === 0) continue;
    const first = i;
    while (i < out.count && (e[i * EVENT_STRIDE + Field.FLAGS] & MORE) !== 0) i++;
    if (e[o + Field.KIND] !== Kind.trade) continue;
    const order = layoutOf(e[o + Field.ORIGIN], e[o + Field.FLAGS])?.rowOrder;
    if (order !== undefined && i < out.count) orderMessage(e, first, i + 1, order);
  }
}

function orderMessage(e: Float64Array, first: number, end: number, order: 'none' | 'newestFirst'): void {
  const timeOf = (row: number): number => e[row * EVENT_STRIDE + Field.MATCHED];
  const rows = Array.from({ length: end - first }, (_, n) => first + n);
  // in a list that falls, rows of one time fall too: the last of them came first
  if (order === 'newestFirst' && timeOf(end - 1) < timeOf(first)) rows.reverse();
  else if (rows.every((row) => row === first || timeOf(row - 1) <= timeOf(row))) return;
  rows.sort((a, b) => timeOf(a) - timeOf(b));
  const base = first * EVENT_STRIDE;
  const old = e.slice(base, end * EVENT_STRIDE);
  for (const [n, row] of rows.entries()) {
    const at = (row - first) * EVENT_STRIDE;
    const to = base + n * EVENT_STRIDE;
    e.set(old.subarray(at, at + EVENT_STRIDE), to);
    if (n < rows.length - 1) e[to + Field.FLAGS] |= MORE;
    else e[to + Field.FLAGS] &= ~MORE;
  }
}
