/** Where each meaning goes in an event record, shared by the generated decoders and the JSON decoder. */
import { Derivative, Field, Kind, STREAM_SHIFT } from '../model/event.js';
import { behindRows, type Form, fieldsOf } from './forms.js';
import { type FieldLayout, MAX_STREAMS, type Meaning, type MessageLayout } from './layout.js';

/** Record field of the meanings that fill exactly one. */
export const FIELD_OF: Partial<Record<Meaning, number>> = {
  emitted: Field.EMITTED,
  matched: Field.MATCHED,
  first: Field.FIRST,
  last: Field.LAST,
  id: Field.LAST,
  previous: Field.PREVIOUS,
  order: Field.PREVIOUS,
  price: Field.PRICE,
  size: Field.SIZE,
  flowSize: Field.SIZE,
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
export function absentValue(kind: number, field: number): number {
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

/** Record fields that a field fills beside FLAGS. */
function targetsOf({ form, means }: FieldLayout): number[] {
  if (form === 'levels') return [Field.PRICE, means === 'bids' ? Field.SIZE : Field.PRICE2];
  if (means === 'id') return [Field.FIRST, Field.LAST];
  if (means === 'buyerIsMaker' || means === 'aggressor') return [Field.SIDE];
  const target = FIELD_OF[means];
  return target === undefined ? [] : [target];
}

/** Record fields that a form fills when it has read its rows already. */
export function targetsBehindRows({ steps }: Form): number[] {
  return [...new Set(fieldsOf(behindRows(steps)).flatMap(targetsOf))];
}

/** Record fields that a form fills beside KIND and FLAGS. */
export function filledBy({ steps }: Form): Set<number> {
  return new Set(fieldsOf(steps).flatMap(targetsOf));
}

/** The others, and what they hold then. */
export function absentIn(form: Form): { field: number; value: number }[] {
  const filled = filledBy(form);
  const absent: { field: number; value: number }[] = [];
  for (let field: number = Field.EMITTED; field <= Field.SIZE2; field++)
    if (!filled.has(field)) absent.push({ field, value: absentValue(KIND_OF[form.layout.event], field) });
  return absent;
}

/** The name, in both scanners, of what reads levels as a field has them. */
export function levelReaderOf({ wide, bare }: FieldLayout): string {
  if (bare === true) return 'readBareLevels';
  return wide === true ? 'readWideLevels' : 'readLevels';
}
