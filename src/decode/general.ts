/**
 * The general decoder: any order of keys, keys nobody reads and blanks between, by the layouts' keys alone. It comes between
 * the usual byte forms and JSON.parse, so that a venue that adds a key costs some speed, not all of it.
 *
 * It accepts only what it is sure of: escapes, repeated keys, numbers in odd forms and whatever else needs thought make it
 * give up, and JSON.parse judges the message.
 */
import { EVENT_STRIDE, type EventBuffer, Field, OFF_BOOK, RATE_DECIMALS } from '../model/event.js';
import { fineDecimals } from '../model/instrument.js';
import { endOfValue, skipBlanks } from '../model/json.js';
import type { Bound } from './envelope.js';
import { FIELD_OF, flagsOf, hasLevels, KIND_OF } from './fields.js';
import { blank } from './json-decoder.js';
import { type FieldLayout, indexOfStream, type Layouts, MAX_STREAMS, type MessageLayout } from './layout.js';
import { readAnyLevels, readEitherDecimal, readRate } from './loose-numbers.js';
import { hasEscape, Members, sameText } from './members.js';
import { cursor, readInteger } from './numbers.js';

const QUOTE = 0x22;
const COMMA = 0x2c;
const OPEN = 0x7b;
const TRUE = 0x74;
const FALSE = 0x66;
const NULL = 0x6e;
const LIST = 0x5b;
const LIST_END = 0x5d;

const root = new Members();
const inside = new Members();
const payload = new Members();

/** Over the bytes of the message being read: one object a message, not one a record. */
let view: DataView = new DataView(new ArrayBuffer(0));

/** Where the last path led: the bytes of its value. */
const found = { from: 0, to: 0 };

/** Looks for a key. @returns 1 where it has a value, which is `found`, 0 where it has none, -1 where it is not sure */
function look(bytes: Buffer, members: Members, key: string): number {
  const member = members.find(bytes, key);
  if (member < 0) return member === -1 ? 0 : -1;
  found.from = members.value(member);
  found.to = members.end(member);
  return 1;
}

/** The same along a path from the root. */
function follow(bytes: Buffer, path: readonly string[], end: number): number {
  let there = look(bytes, root, path[0]);
  for (let n = 1; there === 1 && n < path.length; n++) {
    if (bytes[found.from] === OPEN) there = inside.read(bytes, found.from, end) < 0 ? -1 : look(bytes, inside, path[n]);
    else there = path[n] === '0' && bytes[found.from] === LIST ? enterList(bytes) : 0;
  }
  return there;
}

/** From the list `found` to its only element. */
function enterList(bytes: Buffer): number {
  const { from, to } = found;
  const start = skipBlanks(bytes, from + 1, to);
  if (bytes[start] === LIST_END) return 0;
  const end = endOfValue(bytes, start, to);
  if (end < 0) return -1;
  if (bytes[skipBlanks(bytes, end, to)] !== LIST_END) return 0;
  found.from = start;
  found.to = end;
  return 1;
}

/** A layout's paths, taken apart once. */
interface Plan {
  stream: string[][];
  symbol: string[] | null;
  symbolElse: string[] | null;
  payload: string[] | null;
  type: string[] | string;
  rows: (string[] | null)[];
  /** by layout: what numbers its stream, and its fields with bids before asks */
  numbered: number[];
  fields: FieldPlan[][];
}

interface FieldPlan {
  field: FieldLayout;
  /** path from the root; null for a key of the payload */
  path: string[] | null;
}

const plans = new WeakMap<Layouts, Plan>();

const partsOf = (path: string): string[] => path.split('.');

function planOf(layouts: Layouts): Plan {
  let plan = plans.get(layouts);
  if (plan === undefined) {
    const { topic, type, messages } = layouts;
    plan = {
      stream: topic.stream.map(partsOf),
      symbol: topic.symbol === null ? null : partsOf(topic.symbol),
      symbolElse: topic.symbolElse === undefined ? null : partsOf(topic.symbolElse),
      payload: layouts.payload === '' ? null : partsOf(layouts.payload),
      type: type.startsWith('/') ? partsOf(type.slice(1)) : type,
      rows: messages.map(({ rows }) => (rows === undefined ? null : partsOf(rows))),
      numbered: messages.map((_, index) => indexOfStream(layouts, index)),
      fields: messages.map(({ fields }) =>
        [...fields]
          .sort((a, b) => Number(a.means === 'asks') - Number(b.means === 'asks'))
          .map((field) => ({ field, path: field.key.startsWith('/') ? partsOf(field.key.slice(1)) : null })),
      ),
    };
    plans.set(layouts, plan);
  }
  return plan;
}

/** Records that the last message was decoded to. */
export let generalRecords = 0;

/**
 * Decodes the message at `p` into the next records of `out` (KIND to SIZE2 and FLAGS; line, origin, count and MORE are the caller's);
 * `generalRecords` says how many.
 * @returns the offset behind it, or -1: JSON.parse has to judge
 */
export function decodeGeneral(bytes: Buffer, p: number, end: number, source: Bound, out: EventBuffer): number {
  const { layouts } = source;
  const plan = planOf(layouts);
  view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const behind = root.read(bytes, p, end);
  if (behind < 0) return -1;
  const stream = streamOf(bytes, plan, source, end);
  if (stream === null) return -1;
  let from = p;
  if (plan.payload !== null) {
    if (follow(bytes, plan.payload, end) !== 1) return -1;
    from = found.from;
  }
  const isObject = bytes[from] === OPEN;
  if (isObject && payload.read(bytes, from, end) < 0) return -1;
  const number = layoutOf(bytes, plan, stream, isObject, source, end);
  if (number < 0) return -1;
  const index = number >> VARIANT_BITS;
  const flags = flagsOf(plan.numbered[index], number & (MAX_STREAMS - 1));
  const rows = plan.rows[index];
  if (rows !== null) {
    if (follow(bytes, rows, end) !== 1) return -1;
    from = found.from;
    if (bytes[from] === LIST) return fillRows(bytes, from, end, source, plan, index, flags, out) ? behind : -1;
    if (bytes[from] !== OPEN || payload.read(bytes, from, end) < 0) return -1;
  } else if (!isObject) return -1;
  const levels = out.levelCount;
  generalRecords = 1;
  if (fill(bytes, end, source, plan, index, flags, out, out.count)) return behind;
  out.levelCount = levels;
  return -1;
}

/** One record for each object of the list at `p`, of which there is at least one. */
function fillRows(
  bytes: Buffer,
  p: number,
  end: number,
  source: Bound,
  plan: Plan,
  index: number,
  flags: number,
  out: EventBuffer,
): boolean {
  const levels = out.levelCount;
  let n = 0;
  p = skipBlanks(bytes, p + 1, end);
  for (;;) {
    const next = payload.read(bytes, p, end);
    if (next < 0 || !fill(bytes, end, source, plan, index, flags, out, out.count + n)) break;
    n++;
    p = skipBlanks(bytes, next, end);
    if (bytes[p] === LIST_END) {
      generalRecords = n;
      return true;
    }
    if (bytes[p] !== COMMA) break;
    p = skipBlanks(bytes, p + 1, end);
  }
  out.levelCount = levels;
  return false;
}

/** Digits that are the shortest text of their number. */
const PLAIN_INTEGER = /^(?:0|[1-9]\d{0,14})$/;

/** The plain text `found`, or the digits of an integer there; null where it is not sure. */
function textFound(bytes: Buffer): string | null {
  const { from, to } = found;
  if (bytes[from] === QUOTE) return hasEscape(bytes, from, to) ? null : rawText(bytes);
  const digits = bytes.toString('latin1', from, to);
  return PLAIN_INTEGER.test(digits) ? digits : null;
}

/** The inside of the text `found`, as it stands there. */
const rawText = (bytes: Buffer): string => bytes.toString('utf8', found.from + 1, found.to - 1);

/** The name of the stream, where the message is of the src's symbol; null for everything else. */
function streamOf(
  bytes: Buffer,
  plan: Plan,
  { layouts, escapedLower, escapedSymbol }: Bound,
  end: number,
): string | null {
  const { separator = '', symbolFirst = false, lowerCase } = layouts.topic;
  const symbol = lowerCase === true ? escapedLower : escapedSymbol;
  let text = '';
  for (let n = 0; n < plan.stream.length; n++) {
    const there = follow(bytes, plan.stream[n], end);
    if (there === 0 && n > 0) continue;
    if (there !== 1 || (n === 0 && bytes[found.from] !== QUOTE)) return null;
    // a symbol may need escapes, and stands in the message as it does in the binding
    const part = plan.symbol === null ? rawText(bytes) : textFound(bytes);
    if (part === null) return null;
    text += part;
  }
  if (plan.symbol !== null) {
    let there = follow(bytes, plan.symbol, end);
    if (there === 0 && plan.symbolElse !== null) there = follow(bytes, plan.symbolElse, end);
    if (there !== 1 || bytes[found.from] !== QUOTE) return null;
    return rawText(bytes) === symbol ? text : null;
  }
  if (symbolFirst) return text.startsWith(symbol + separator) ? text.slice(symbol.length + separator.length) : null;
  return text.endsWith(separator + symbol) ? text.slice(0, -(symbol.length + separator.length)) : null;
}

/** Layout and variant of a stream, the variant in the lower bits; -1 where none of them fits for sure. */
function layoutOf(
  bytes: Buffer,
  plan: Plan,
  stream: string,
  isObject: boolean,
  { layouts }: Bound,
  end: number,
): number {
  for (let index = 0; index < layouts.messages.length; index++) {
    const layout = layouts.messages[index];
    const variant = layout.streams.indexOf(stream);
    if (variant < 0) continue;
    const fits = hasType(bytes, plan, layout, isObject, end);
    if (fits > 0) return (index << VARIANT_BITS) | variant;
    if (fits < 0) return -1;
  }
  return -1;
}

/** @returns 1 for yes, 0 for no, -1 where it is not sure */
function hasType(bytes: Buffer, plan: Plan, { type }: MessageLayout, isObject: boolean, end: number): number {
  if (type === undefined) return 1;
  const inPayload = (key: string): number => (isObject ? look(bytes, payload, key) : 0);
  const there = typeof plan.type === 'string' ? inPayload(plan.type) : follow(bytes, plan.type, end);
  if (there < 0) return -1;
  if (type === null || there === 0) return Number(type === null && there === 0);
  // an escape may write the same text in another way
  if (hasEscape(bytes, found.from, found.to)) return -1;
  return Number(sameText(bytes, found.from, found.to, `"${type}"`));
}

function fill(
  bytes: Buffer,
  end: number,
  source: Bound,
  plan: Plan,
  index: number,
  flags: number,
  out: EventBuffer,
  record: number,
): boolean {
  const layout = source.layouts.messages[index];
  blank(out, record, KIND_OF[layout.event]);
  const e = out.events;
  const o = record * EVENT_STRIDE;
  e[o + Field.FLAGS] = flags;
  if (hasLevels(layout)) e[o + Field.PRICE] = out.levelCount;
  for (const { field, path } of plan.fields[index]) {
    const there = path === null ? look(bytes, payload, field.key) : follow(bytes, path, end);
    if (there < 0) return false;
    const missing = there === 0 || isMissing(bytes, field);
    if (missing && field.optional === true) continue;
    if (missing || !fillField(bytes, field, layout, source, out, o)) return false;
  }
  return true;
}

/** Whether the value `found` counts as none. */
function isMissing(bytes: Buffer, { positive, blank, loose }: FieldLayout): boolean {
  const { from, to } = found;
  if (bytes[from] === NULL || (blank === true && sameText(bytes, from, to, '""'))) return true;
  if (positive !== true) return false;
  return sameText(bytes, from, to, '0') || (loose === true && sameText(bytes, from, to, '"0"'));
}

/** Layouts and variants as one number while a message is read. */
const VARIANT_BITS = Math.log2(MAX_STREAMS);

/** Fills one field from the bytes `found`. */
function fillField(
  bytes: Buffer,
  { form, means, loose }: FieldLayout,
  layout: MessageLayout,
  { scale, escapedSymbol }: Bound,
  out: EventBuffer,
  o: number,
): boolean {
  const at = found.from;
  const end = found.to;
  const e = out.events;
  const target = FIELD_OF[means] ?? 0;
  switch (form) {
    case 'time':
    case 'id': {
      const quoted = loose === true && bytes[at] === QUOTE ? 1 : 0;
      const value = readInteger(bytes, view, at + quoted);
      if (value < 0 || cursor.at !== end - quoted) return false;
      if (means === 'count') {
        e[o + Field.FIRST] = e[o + Field.LAST] - Math.max(0, value - 1);
        return true;
      }
      e[o + target] = form === 'time' && value < 1e15 ? value * 1000 : value;
      if (means === 'id') e[o + Field.FIRST] = value;
      return true;
    }
    case 'price':
    case 'size':
    case 'fine': {
      const value = readEitherDecimal(bytes, at, form === 'fine' ? fineDecimals(scale) : scale[form], loose === true);
      if (means === 'flowSize' && value === 0) e[o + Field.FLAGS] |= OFF_BOOK;
      else e[o + target] = value;
      return value >= 0 && cursor.at === end;
    }
    case 'rate': {
      const value = readRate(bytes, at, RATE_DECIMALS, loose === true);
      e[o + target] = value;
      return !Number.isNaN(value) && cursor.at === end;
    }
    case 'levels': {
      const count = readAnyLevels(bytes, at, end, scale, out, loose === true);
      e[o + (means === 'bids' ? Field.SIZE : Field.PRICE2)] = count;
      return count >= 0;
    }
    case 'flag': {
      const yes = bytes[at] === TRUE;
      if (means === 'offBook') {
        if (yes) e[o + Field.FLAGS] |= OFF_BOOK;
      } else e[o + Field.SIDE] = yes ? -1 : 1;
      return yes || bytes[at] === FALSE;
    }
    case 'text': {
      const quoted = bytes[at] === QUOTE;
      const text = quoted ? bytes.toString('utf8', at + 1, end - 1) : bytes.toString('latin1', at, end);
      // other numbers have another text once they are read
      if (!quoted && (loose !== true || !PLAIN_INTEGER.test(text))) return false;
      if (means === 'symbol') return text === escapedSymbol;
      if (hasEscape(bytes, at, end)) return false;
      if (means === 'aggressor') {
        e[o + Field.SIDE] = text === layout.aggressors?.buy ? 1 : -1;
        return text === layout.aggressors?.buy || text === layout.aggressors?.sell;
      }
      if (!(layout.flowPrints ?? []).includes(text)) e[o + Field.FLAGS] |= OFF_BOOK;
      return true;
    }
  }
}
