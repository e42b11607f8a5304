/**
 * The general decoder: any order of keys, keys nobody reads and blanks between, by the layouts' keys alone. It comes between
 * the usual byte forms and JSON.parse, so that a venue that adds a key costs some speed, not all of it.
 *
 * It accepts only what it is sure of: escapes, repeated keys, numbers in odd forms and whatever else needs thought make it
 * give up, and JSON.parse judges the message.
 */
import { EVENT_STRIDE, type EventBuffer, Field } from '../model/event.js';
import { endOfString, endOfValue, skipBlanks } from '../model/json.js';
import type { Bound } from './envelope.js';
import { FIELD_OF, flagsOf, KIND_OF } from './fields.js';
import type { FieldLayout, Layouts, MessageLayout } from './layout.js';
import { cursor, readDecimal, readInteger, readLevels } from './numbers.js';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN = 0x7b;
const CLOSE = 0x7d;
const TRUE = 0x74;
const FALSE = 0x66;

/** More keys than any message has; a longer object is left to JSON.parse. */
const MOST_KEYS = 64;

/** The members of one object: where each key's text and value begin and end. */
class Members {
  count = 0;
  readonly #at = new Int32Array(MOST_KEYS * 4);

  /** Reads the object at `p`. @returns the offset behind it, or -1 */
  read(bytes: Buffer, p: number, end: number): number {
    this.count = 0;
    if (bytes[p] !== OPEN) return -1;
    p = skipBlanks(bytes, p + 1, end);
    if (bytes[p] === CLOSE) return p + 1;
    for (;;) {
      if (this.count === MOST_KEYS) return -1;
      const key = p + 1;
      p = endOfString(bytes, p, end);
      const keyEnd = p - 1;
      if (p < 0 || hasEscape(bytes, key, keyEnd)) return -1;
      p = skipBlanks(bytes, p, end);
      if (bytes[p] !== COLON) return -1;
      const value = skipBlanks(bytes, p + 1, end);
      p = endOfValue(bytes, value, end);
      if (p < 0) return -1;
      this.#at.set([key, keyEnd, value, p], this.count++ * 4);
      p = skipBlanks(bytes, p, end);
      if (bytes[p] === CLOSE) return p + 1;
      if (bytes[p] !== COMMA || p >= end) return -1;
      p = skipBlanks(bytes, p + 1, end);
    }
  }

  /** @returns the member with this key, -1 where there is none, -2 where there are several */
  find(bytes: Buffer, key: string): number {
    let found = -1;
    for (let n = 0; n < this.count; n++) {
      if (!sameText(bytes, this.#at[n * 4], this.#at[n * 4 + 1], key)) continue;
      if (found >= 0) return -2;
      found = n;
    }
    return found;
  }

  value(member: number): number {
    return this.#at[member * 4 + 2];
  }

  end(member: number): number {
    return this.#at[member * 4 + 3];
  }
}

/** Whether the bytes are this text, which is ASCII. */
function sameText(bytes: Buffer, from: number, to: number, text: string): boolean {
  if (to - from !== text.length) return false;
  for (let i = 0; i < text.length; i++) if (bytes[from + i] !== text.charCodeAt(i)) return false;
  return true;
}

function hasEscape(bytes: Buffer, from: number, to: number): boolean {
  for (let p = from; p < to; p++) if (bytes[p] === BACKSLASH) return true;
  return false;
}

const wrapper = new Members();
const payload = new Members();

/**
 * Decodes the message at `p` into the next record of `out` (KIND to SIZE2 and FLAGS; line and origin are the caller's).
 * @returns the offset behind it, or -1: JSON.parse has to judge
 */
export function decodeGeneral(bytes: Buffer, p: number, end: number, source: Bound, out: EventBuffer): number {
  const { layouts } = source;
  const behind = wrapper.read(bytes, p, end);
  if (behind < 0) return -1;
  const topic = wrapper.find(bytes, layouts.topicKey);
  const data = wrapper.find(bytes, layouts.payloadKey);
  if (topic < 0 || data < 0 || payload.read(bytes, wrapper.value(data), end) < 0) return -1;
  const index = layoutOf(bytes, wrapper.value(topic), wrapper.end(topic), source);
  if (index < 0) return -1;
  const levels = out.levelCount;
  if (fill(bytes, source, index, out)) return behind;
  out.levelCount = levels;
  return -1;
}

/** Layout and variant, as FLAGS hold them, of the topic in `bytes[from, to)`; -1 where none of them fits for sure. */
function layoutOf(bytes: Buffer, from: number, to: number, { layouts, escapedLower }: Bound): number {
  if (bytes[from] !== QUOTE) return -1;
  const prefix = `${escapedLower}${layouts.separator}`;
  const topic = bytes.toString('utf8', from + 1, to - 1);
  if (!topic.startsWith(prefix)) return -1;
  const stream = topic.slice(prefix.length);
  for (let index = 0; index < layouts.messages.length; index++) {
    const layout = layouts.messages[index];
    const variant = layout.streams.indexOf(stream);
    if (variant >= 0 && hasType(bytes, layouts, layout)) return flagsOf(index, variant);
  }
  return -1;
}

function hasType(bytes: Buffer, { typeKey }: Layouts, { type }: MessageLayout): boolean {
  const member = payload.find(bytes, typeKey);
  if (type === null) return member === -1;
  return member >= 0 && sameText(bytes, payload.value(member), payload.end(member), `"${type}"`);
}

function fill(bytes: Buffer, source: Bound, flags: number, out: EventBuffer): boolean {
  const layout = source.layouts.messages[flags >> LAYOUT_SHIFT];
  const e = out.events;
  const o = out.count * EVENT_STRIDE;
  e.fill(0, o + Field.EMITTED, o + EVENT_STRIDE);
  e[o + Field.FIRST] = e[o + Field.LAST] = e[o + Field.PREVIOUS] = -1;
  e[o + Field.KIND] = KIND_OF[layout.event];
  e[o + Field.FLAGS] = flags;
  if (layout.event === 'depth' || layout.event === 'partial') e[o + Field.PRICE] = out.levelCount;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let asks: FieldLayout | null = null;
  for (const field of layout.fields) {
    // bids stand before asks in `levels`, whatever the message's order
    if (field.means === 'asks') asks = field;
    else if (!fillField(bytes, view, field, layout, source, out, o)) return false;
  }
  return asks === null || fillField(bytes, view, asks, layout, source, out, o);
}

/** layout * MAX_STREAMS << 2, as `flagsOf` packs them */
const LAYOUT_SHIFT = Math.log2(flagsOf(1, 0));

function fillField(
  bytes: Buffer,
  view: DataView,
  { key, form, means, optional }: FieldLayout,
  layout: MessageLayout,
  { scale, escapedSymbol }: Bound,
  out: EventBuffer,
  o: number,
): boolean {
  const member = payload.find(bytes, key);
  if (member === -1) return optional === true;
  if (member < 0) return false;
  const at = payload.value(member);
  const end = payload.end(member);
  const e = out.events;
  const target = FIELD_OF[means] ?? 0;
  switch (form) {
    case 'time':
    case 'id': {
      const value = readInteger(bytes, view, at);
      if (value < 0 || cursor.at !== end) return false;
      e[o + target] = form === 'time' && value < 1e15 ? value * 1000 : value;
      if (means === 'id') e[o + Field.FIRST] = value;
      return true;
    }
    case 'price':
    case 'size': {
      const value = bytes[at] === QUOTE ? readDecimal(bytes, at + 1, scale[form]) : -1;
      e[o + target] = value;
      return value >= 0 && cursor.at === end;
    }
    case 'levels': {
      const count = readLevels(bytes, at, scale.price, scale.size, out);
      e[o + (means === 'bids' ? Field.SIZE : Field.PRICE2)] = count;
      return count >= 0 && cursor.at === end;
    }
    case 'flag':
      e[o + Field.SIDE] = bytes[at] === TRUE ? -1 : 1;
      return bytes[at] === TRUE || bytes[at] === FALSE;
    case 'text': {
      if (bytes[at] !== QUOTE) return false;
      const text = bytes.toString('utf8', at + 1, end - 1);
      if (means === 'symbol') return text === escapedSymbol;
      if (hasEscape(bytes, at, end)) return false;
      if (!(layout.flowPrints ?? []).includes(text)) e[o + Field.FLAGS] += 1;
      return true;
    }
  }
}
