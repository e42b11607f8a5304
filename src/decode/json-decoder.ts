/** The plain decoder: JSON.parse and the layouts' keys. The oracle of tests, and the way of every unusual message. */
import { scaleDecimal } from '../model/decimal.js';
import { EVENT_STRIDE, type EventBuffer, Field, Kind, OFF_BOOK, RATE_DECIMALS } from '../model/event.js';
import { fineDecimals, type Scale } from '../model/instrument.js';
import type { Bound } from './envelope.js';
import { explain, fieldAt, type JsonObject } from './explain.js';
import { absentValue, FIELD_OF, flagsOf, hasLevels, KIND_OF } from './fields.js';
import { type FieldLayout, indexOfStream, type MessageLayout } from './layout.js';

/** Makes the record `i` an empty one of that kind. */
export function blank(out: EventBuffer, i: number, kind: number): void {
  while ((i + 1) * EVENT_STRIDE > out.events.length) out.growEvents();
  const e = out.events;
  const o = i * EVENT_STRIDE;
  for (let field: number = Field.EMITTED; field < EVENT_STRIDE; field++) e[o + field] = absentValue(kind, field);
  e[o + Field.KIND] = kind;
}

/**
 * Decodes a parsed message into the next records of `out` (KIND to SIZE2 and FLAGS; line, origin, count and MORE are the caller's).
 * A message no layout explains becomes Kind.unknown; one with a value that cannot be held exactly, Kind.invalid; one without rows,
 * Kind.other.
 * @returns the number of records
 */
export function decodeJson(message: unknown, source: Bound, out: EventBuffer): number {
  const first = out.count;
  blank(out, first, Kind.unknown);
  const what = explain(message, source.layouts, source.symbol);
  if (what.kind === 'control') out.events[first * EVENT_STRIDE + Field.KIND] = Kind.other;
  if (what.kind !== 'data') return 1;
  const { index, variant, payloads } = what;
  const layout = source.layouts.messages[index];
  const flags = flagsOf(indexOfStream(source.layouts, index), variant);
  const levels = out.levelCount;
  for (const [n, payload] of payloads.entries()) {
    blank(out, first + n, KIND_OF[layout.event]);
    const o = (first + n) * EVENT_STRIDE;
    out.events[o + Field.FLAGS] = flags;
    if (fill(layout, message as JsonObject, payload, source, out, o)) continue;
    // a message is taken whole or not at all
    out.levelCount = levels;
    blank(out, first, Kind.invalid);
    out.events[first * EVENT_STRIDE + Field.FLAGS] = flags;
    return 1;
  }
  if (payloads.length > 0) return payloads.length;
  blank(out, first, Kind.other);
  out.events[first * EVENT_STRIDE + Field.FLAGS] = flags;
  return 1;
}

function fill(
  layout: MessageLayout,
  message: JsonObject,
  payload: JsonObject,
  source: Bound,
  out: EventBuffer,
  o: number,
): boolean {
  if (hasLevels(layout)) out.events[o + Field.PRICE] = out.levelCount;
  const ordered = hasLevels(layout) ? [...layout.fields].sort(bidsFirst) : layout.fields;
  for (const field of ordered) {
    const value = fieldAt(message, payload, field.key);
    const missing = isMissing(field, value);
    if (missing && field.optional === true) continue;
    if (missing || !fillField(field, value, layout, source, out, o)) return false;
  }
  return true;
}

function isMissing({ positive, blank, loose }: FieldLayout, value: unknown): boolean {
  if (value === undefined || value === null || (blank === true && value === '')) return true;
  return positive === true && (value === 0 || (loose === true && value === '0'));
}

/** Bids stand before asks in `levels`, whatever the message's order. */
function bidsFirst(a: FieldLayout, b: FieldLayout): number {
  return Number(a.means === 'asks') - Number(b.means === 'asks');
}

const DIGITS = /^(?:0|[1-9]\d{0,15})$/;

/** A whole number; -1 where it is none. */
function integerOf(value: unknown, loose: boolean): number {
  const number = loose && typeof value === 'string' && DIGITS.test(value) ? Number(value) : value;
  return typeof number === 'number' && Number.isSafeInteger(number) && number >= 0 ? number : -1;
}

/** A decimal, scaled; NaN where it is none. A number's shortest text is the one it was written with, or equals it. */
function decimalOf(value: unknown, decimals: number, loose: boolean): number {
  if (typeof value === 'string') return scaleDecimal(value, decimals);
  return loose && typeof value === 'number' ? scaleDecimal(String(value), decimals) : Number.NaN;
}

function decimalsFor(form: 'price' | 'size' | 'fine' | 'rate', scale: Scale): number {
  if (form === 'rate') return RATE_DECIMALS;
  return form === 'fine' ? fineDecimals(scale) : scale[form];
}

function fillField(
  field: FieldLayout,
  value: unknown,
  layout: MessageLayout,
  source: Bound,
  out: EventBuffer,
  o: number,
): boolean {
  const e = out.events;
  const target = FIELD_OF[field.means] ?? 0;
  const loose = field.loose === true;
  switch (field.form) {
    case 'time':
    case 'id': {
      const whole = integerOf(value, loose);
      if (whole < 0) return false;
      if (field.means === 'count') {
        e[o + Field.FIRST] = e[o + Field.LAST] - Math.max(0, whole - 1);
        return true;
      }
      e[o + target] = field.form === 'time' && whole < 1e15 ? whole * 1000 : whole;
      if (field.means === 'id') e[o + Field.FIRST] = whole;
      return true;
    }
    case 'price':
    case 'size':
    case 'fine':
    case 'rate': {
      const scaled = decimalOf(value, decimalsFor(field.form, source.scale), loose);
      if (field.form === 'rate' ? Number.isNaN(scaled) : !(scaled >= 0)) return false;
      if (field.means === 'flowSize' && scaled === 0) e[o + Field.FLAGS] |= OFF_BOOK;
      else e[o + target] = scaled;
      return true;
    }
    case 'levels': {
      const count = fillLevels(value, source, out, loose);
      e[o + (field.means === 'bids' ? Field.SIZE : Field.PRICE2)] = count;
      return count >= 0;
    }
    case 'flag':
      if (field.means === 'offBook') {
        if (value === true) e[o + Field.FLAGS] |= OFF_BOOK;
      } else e[o + Field.SIDE] = value === true ? -1 : 1;
      return typeof value === 'boolean';
    case 'text':
      return fillText(field, loose && typeof value === 'number' ? String(value) : value, layout, source, e, o);
  }
}

function fillText(
  { means }: FieldLayout,
  value: unknown,
  { aggressors, flowPrints = [] }: MessageLayout,
  { symbol }: Bound,
  e: Float64Array,
  o: number,
): boolean {
  if (typeof value !== 'string') return false;
  if (means === 'symbol') return value === symbol;
  if (means === 'aggressor') {
    e[o + Field.SIDE] = value === aggressors?.buy ? 1 : -1;
    return value === aggressors?.buy || value === aggressors?.sell;
  }
  if (!flowPrints.includes(value)) e[o + Field.FLAGS] |= OFF_BOOK;
  return true;
}

function fillLevels(value: unknown, { scale }: Bound, out: EventBuffer, loose: boolean): number {
  if (!Array.isArray(value)) return -1;
  for (const level of value) {
    if (!Array.isArray(level)) return -1;
    const price = decimalOf(level[0], scale.price, loose);
    const size = decimalOf(level[1], scale.size, loose);
    if (!(price >= 0 && size >= 0)) return -1;
    out.addLevel(price, size);
  }
  return value.length;
}
