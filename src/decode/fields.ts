/** Where each meaning goes in an event record, shared by the generated decoders and the JSON decoder. */
import { Derivative, Field, Kind, STREAM_SHIFT } from '../model/event.js';
import { type Form, fieldsBehindRows, fieldsOf } from './forms.js';
import { MAX_STREAMS, type Meaning, type MessageLayout } from './layout.js';

/** Record field of the meanings that fill exactly one. */
export const FIELD_OF: Partial<Record<Meaning, number>> = {
  emitted: Field.EMITTED,
  matched: Field.MATCHED,
  first: Field.FIRST,
  last: Field.LAST,
  id: Field.LAST,
  previous: Field.PREVIOUS,
  price: Field.PRICE,
  size: Field.SIZE,
  bid: Field.PRICE,
  bidSize: Field.SIZE,
  ask: Field.PRICE2,
  askSize: Field.SIZE2,
  mark: Derivative.MARK,
  index: Derivative.INDEX,
  funding: Derivative.FUNDING,
  nextFunding: Derivative.NEXT_FUNDING,
  openInterest: Derivative.OPEN_INTEREST,
};

export const KIND_OF: Record<MessageLayout['event'], number> = {
  trade: Kind.trade,
  depth: Kind.depth,
  snapshot: Kind.snapshot,
  touch: Kind.touch,
  partial: Kind.partial,
  liquidation: Kind.liquidation,
  derivative: Kind.derivative,
  other: Kind.other,
};

const DERIVATIVE_FIELDS: readonly number[] = Object.values(Derivative);

/** What a record field holds where a message of that kind says nothing of it. */
export function absentIn(kind: number, field: number): number {
  if (kind === Kind.derivative && DERIVATIVE_FIELDS.includes(field)) return Number.NaN;
  return field >= Field.FIRST && field <= Field.PREVIOUS ? -1 : 0;
}

/** Events whose levels go to `levels`. */
export function hasLevels({ event }: MessageLayout): boolean {
  return event === 'depth' || event === 'snapshot' || event === 'partial';
}

/** FLAGS of a record of that layout and stream variant, its lower bits 0. */
export function flagsOf(layout: number, stream: number): number {
  return (layout * MAX_STREAMS + stream) << STREAM_SHIFT;
}

/** Record fields that a form fills when it has read its rows already. */
export function targetsBehindRows(form: Form): number[] {
  return [
    ...new Set(
      fieldsBehindRows(form).flatMap(({ means }) =>
        means === 'id' ? [Field.FIRST, Field.LAST] : [FIELD_OF[means] ?? 0],
      ),
    ),
  ];
}

/** Record fields that a form fills beside KIND and FLAGS. */
export function filledBy(form: Form): Set<number> {
  const filled = new Set<number>();
  for (const { form: written, means } of fieldsOf(form.steps)) {
    const target = FIELD_OF[means];
    if (target !== undefined) filled.add(target);
    if (means === 'id') filled.add(Field.FIRST);
    if (means === 'buyerIsMaker' || means === 'aggressor') filled.add(Field.SIDE);
    if (written === 'levels') filled.add(means === 'bids' ? Field.SIZE : Field.PRICE2).add(Field.PRICE);
  }
  return filled;
}
