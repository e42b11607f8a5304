/**
 * Turns a layout's usual byte forms into specialised decoders, as source text compiled at start-up.
 *
 * A generated decoder compares every literal byte (four at a time) and reads numbers in place; at the first difference it
 * gives up with -1 and the JSON decoder judges the message. Interpreting the forms instead was measured at half the speed.
 */
import { type EventBuffer, Field } from '../model/event.js';
import { FIELD_OF, flagsOf, KIND_OF } from './fields.js';
import type { FieldLayout, Layouts, MessageLayout } from './layout.js';
import { cursor, readDecimal, readInteger, readLevels } from './numbers.js';

/** What differs between the srcs of one venue: symbol bytes and scale. */
export interface Names {
  lower: Uint8Array;
  symbol: Uint8Array;
  priceDecimals: number;
  sizeDecimals: number;
}

/** Decodes the message at `p` into the record at offset `o` of `out.events`; returns where it ends, or -1. */
export type Template = (
  bytes: Uint8Array,
  view: DataView,
  p: number,
  end: number,
  names: Names,
  out: EventBuffer,
  o: number,
) => number;

/** The buffer is used again: what a message does not carry must not keep the value of an earlier one. */
const ZERO_WHERE_ABSENT = [
  Field.EMITTED,
  Field.MATCHED,
  Field.SIDE,
  Field.PRICE,
  Field.SIZE,
  Field.PRICE2,
  Field.SIZE2,
];

type Piece = { literal: string } | { hole: string };

/** Splits a form at its `<…>` holes. */
function pieces(form: string): Piece[] {
  const list: Piece[] = [];
  let at = 0;
  for (const match of form.matchAll(/<([^>]+)>/g)) {
    if (match.index > at) list.push({ literal: form.slice(at, match.index) });
    list.push({ hole: match[1] });
    at = match.index + match[0].length;
  }
  if (at < form.length) list.push({ literal: form.slice(at) });
  return list;
}

function literalSource(text: string): string {
  const bytes = new TextEncoder().encode(text);
  const view = new DataView(bytes.buffer);
  const tests: string[] = [];
  let i = 0;
  for (; i + 4 <= bytes.length; i += 4) tests.push(`view.getInt32(p + ${i}, true) !== ${view.getInt32(i, true)}`);
  for (; i < bytes.length; i++) tests.push(`bytes[p + ${i}] !== ${bytes[i]}`);
  return `if (p + ${bytes.length} > end || ${tests.join(' || ')}) return -1; p += ${bytes.length};`;
}

const nameSource = (name: 'lower' | 'symbol'): string =>
  `{ const s = names.${name}; const n = s.length; if (p + n > end) return -1;
   for (let i = 0; i < n; i++) if (bytes[p + i] !== s[i]) return -1; p += n; }`;

/** Skips the inside of a string that is plain ASCII without escapes; stops at the closing quote. */
const SKIP_TEXT = `for (;;) { const c = bytes[p]; if (c === 34) break; if (!(c >= 32 && c < 127) || c === 92) return -1; p++; }`;

function fieldSource(field: FieldLayout, layout: MessageLayout): string {
  const target = FIELD_OF[field.means];
  switch (field.form) {
    case 'time':
      return `{ const v = readInteger(bytes, view, p); if (v < 0) return -1; p = cursor.at; e[o + ${target}] = v >= 1e15 ? v : v * 1000; }`;
    case 'id':
      return `{ const v = readInteger(bytes, view, p); if (v < 0) return -1; p = cursor.at; e[o + ${target}] = v;${
        field.means === 'id' ? ` e[o + ${Field.FIRST}] = v;` : ''
      } }`;
    case 'price':
    case 'size':
      // the closing quote belongs to the number: the literal after the hole starts behind it
      return `{ const v = readDecimal(bytes, p, names.${field.form}Decimals); if (v < 0) return -1; p = cursor.at - 1; e[o + ${target}] = v; }`;
    case 'levels': {
      const first = field.means === 'bids';
      return `{ const n = readLevels(bytes, p, names.priceDecimals, names.sizeDecimals, out); if (n < 0) return -1; p = cursor.at; e[o + ${
        first ? Field.SIZE : Field.PRICE2
      }] = n; }`;
    }
    case 'flag':
      // the aggressor is the taker: buyer is maker means a sell
      return `if (bytes[p] === 116) { ${literalSource('true')} e[o + ${Field.SIDE}] = -1; } else { ${literalSource('false')} e[o + ${Field.SIDE}] = 1; }`;
    case 'text':
      if (field.means === 'symbol') return nameSource('symbol');
      return `{ const start = p; ${SKIP_TEXT} const n = p - start; offBook = !(${
        (layout.flowPrints ?? [])
          .map((value) => {
            const bytes = new TextEncoder().encode(value);
            return `(${[`n === ${bytes.length}`, ...[...bytes].map((b, i) => `bytes[start + ${i}] === ${b}`)].join(' && ')})`;
          })
          .join(' || ') || 'false'
      }) ? 1 : 0; }`;
  }
}

/** Source of the decoder of one layout, stream and usual form. */
function templateSource(layouts: Layouts, index: number, stream: number, usual: string): string {
  const layout = layouts.messages[index];
  const topic = `<lower>${layouts.separator}${layout.streams[stream]}`;
  const form = layouts.wrapper.replace('<topic>', () => topic).replace('<payload>', () => usual);
  const body: string[] = [];
  const filled = new Set<number>();
  for (const piece of pieces(form)) {
    if ('literal' in piece) body.push(literalSource(piece.literal));
    else if (piece.hole === 'lower') body.push(nameSource('lower'));
    else if (piece.hole === '*') body.push(SKIP_TEXT);
    else if (piece.hole === '#') body.push('if (readInteger(bytes, view, p) < 0) return -1; p = cursor.at;');
    else {
      const field =
        piece.hole === 'symbol'
          ? ({ key: '', form: 'text', means: 'symbol' } as const)
          : layout.fields.find(({ key }) => key === piece.hole);
      if (field === undefined) throw new Error(`layout ${layout.name}: no field for <${piece.hole}>`);
      body.push(fieldSource(field, layout));
      const target = FIELD_OF[field.means];
      if (target !== undefined) filled.add(target);
      if (field.means === 'id') filled.add(Field.FIRST);
      if (field.form === 'flag') filled.add(Field.SIDE);
      if (field.form === 'levels') filled.add(field.means === 'bids' ? Field.SIZE : Field.PRICE2);
    }
  }
  const absent: string[] = [];
  for (const id of [Field.FIRST, Field.LAST, Field.PREVIOUS]) if (!filled.has(id)) absent.push(`e[o + ${id}] = -1;`);
  const book = layout.event === 'depth' || layout.event === 'partial';
  if (book) filled.add(Field.PRICE);
  for (const zero of ZERO_WHERE_ABSENT) if (!filled.has(zero)) absent.push(`e[o + ${zero}] = 0;`);
  return `(bytes, view, p, end, names, out, o) => {
  const e = out.events; let offBook = 0;
  ${book ? `e[o + ${Field.PRICE}] = out.levelCount;` : ''}
  ${body.join('\n  ')}
  ${absent.join(' ')}
  e[o + ${Field.KIND}] = ${KIND_OF[layout.event]}; e[o + ${Field.FLAGS}] = ${flagsOf(index, stream)} | offBook;
  return p;
}`;
}

/** Compiles every usual form of a layout and stream. */
export function compileTemplates(layouts: Layouts, index: number, stream: number): Template[] {
  return layouts.messages[index].usual.map((usual) => {
    const source = templateSource(layouts, index, stream, usual);
    // the source is made from the layouts of this program alone, never from input
    return new Function('readInteger', 'readDecimal', 'readLevels', 'cursor', `return ${source}`)(
      readInteger,
      readDecimal,
      readLevels,
      cursor,
    ) as Template;
  });
}
