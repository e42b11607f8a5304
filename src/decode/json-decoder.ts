/** The plain decoder: JSON.parse and the layouts' keys. The oracle of tests, and the way of every unusual message. */
import { scaleDecimal } from '../model/decimal.js';
import { EVENT_STRIDE, type EventBuffer, Field, Kind, OFF_BOOK } from '../model/event.js';
import type { Bound } from './envelope.js';
import { FIELD_OF, flagsOf, KIND_OF } from './fields.js';
import type { FieldLayout, MessageLayout } from './layout.js';

type JsonObject = Record<string, unknown>;

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Decodes a parsed message into the next record of `out` (KIND to SIZE2 and FLAGS; line and origin are the caller's).
 * A message no layout explains becomes Kind.unknown; one with a value that cannot be held exactly, Kind.invalid.
 */
export function decodeJson(message: unknown, source: Bound, out: EventBuffer): void {
  const { layouts } = source;
  const e = out.events;
  const o = out.count * EVENT_STRIDE;
  e.fill(0, o + Field.EMITTED, o + EVENT_STRIDE);
  e[o + Field.FIRST] = e[o + Field.LAST] = e[o + Field.PREVIOUS] = -1;
  e[o + Field.KIND] = Kind.unknown;
  if (!isObject(message)) return;
  const topic = message[layouts.topicKey];
  if (typeof topic !== 'string') {
    if (topic === undefined && layouts.control.some((key) => Object.hasOwn(message, key)))
      e[o + Field.KIND] = Kind.other;
    return;
  }
  const payload = message[layouts.payloadKey];
  const prefix = source.lower + layouts.separator;
  if (!topic.startsWith(prefix) || !isObject(payload)) return;
  const stream = topic.slice(prefix.length);
  for (let index = 0; index < layouts.messages.length; index++) {
    const layout = layouts.messages[index];
    const variant = layout.streams.indexOf(stream);
    if (variant < 0) continue;
    if ((layout.type ?? undefined) !== payload[layouts.typeKey]) continue;
    const levels = out.levelCount;
    e[o + Field.FLAGS] = flagsOf(index, variant);
    e[o + Field.KIND] = fill(layout, payload, source, out, o) ? KIND_OF[layout.event] : Kind.invalid;
    if (e[o + Field.KIND] === Kind.invalid) out.levelCount = levels;
    return;
  }
}

function fill(layout: MessageLayout, payload: JsonObject, source: Bound, out: EventBuffer, o: number): boolean {
  const e = out.events;
  const book = layout.event === 'depth' || layout.event === 'partial';
  if (book) e[o + Field.PRICE] = out.levelCount;
  const ordered = book ? [...layout.fields].sort(bidsFirst) : layout.fields;
  for (const field of ordered) {
    const value = payload[field.key];
    if (value === undefined && field.optional === true) continue;
    if (!fillField(field, value, layout, source, out, o)) return false;
  }
  return true;
}

/** Bids stand before asks in `levels`, whatever the message's order. */
function bidsFirst(a: FieldLayout, b: FieldLayout): number {
  return Number(a.means === 'asks') - Number(b.means === 'asks');
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
  switch (field.form) {
    case 'time':
    case 'id':
      if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) return false;
      e[o + target] = field.form === 'time' && value < 1e15 ? value * 1000 : value;
      if (field.means === 'id') e[o + Field.FIRST] = value;
      return true;
    case 'price':
    case 'size': {
      const scaled = typeof value === 'string' ? scaleDecimal(value, source.scale[field.form]) : Number.NaN;
      if (!(scaled >= 0)) return false;
      e[o + target] = scaled;
      return true;
    }
    case 'levels': {
      const count = fillLevels(value, source, out);
      e[o + (field.means === 'bids' ? Field.SIZE : Field.PRICE2)] = count;
      return count >= 0;
    }
    case 'flag':
      e[o + Field.SIDE] = value === true ? -1 : 1;
      return typeof value === 'boolean';
    case 'text':
      if (typeof value !== 'string') return false;
      if (field.means === 'symbol') return value === source.symbol;
      if (!(layout.flowPrints ?? []).includes(value)) e[o + Field.FLAGS] += OFF_BOOK;
      return true;
  }
}

function fillLevels(value: unknown, { scale }: Bound, out: EventBuffer): number {
  if (!Array.isArray(value)) return -1;
  while ((out.levelCount + value.length) * 2 > out.levels.length) out.growLevels();
  for (const level of value) {
    if (!Array.isArray(level) || typeof level[0] !== 'string' || typeof level[1] !== 'string') return -1;
    const price = scaleDecimal(level[0], scale.price);
    const size = scaleDecimal(level[1], scale.size);
    if (!(price >= 0 && size >= 0)) return -1;
    out.levels[out.levelCount * 2] = price;
    out.levels[out.levelCount * 2 + 1] = size;
    out.levelCount++;
  }
  return value.length;
}
