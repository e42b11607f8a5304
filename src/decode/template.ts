/**
 * Turns the usual byte forms into specialised TypeScript decoders, as source text compiled at start-up.
 *
 * A generated decoder compares every literal byte (eight at a time) and reads numbers in place; at the first difference it
 * gives up with -1. Interpreting the forms instead was measured at half the speed. It is the scanner where WebAssembly
 * is not to be had, and the oracle of the compiled one.
 */
import { EVENT_STRIDE, type EventBuffer, Field, MORE, OFF_BOOK, RATE_DECIMALS } from '../model/event.js';
import { absentIn, FIELD_OF, flagsOf, hasLevels, KIND_OF, levelReaderOf, targetsBehindRows } from './fields.js';
import { type Form, formsOf, hasAsksFirst, type Step } from './forms.js';
import type { FieldLayout, Layouts, MessageLayout } from './layout.js';
import { readBareLevels, readLevels, readWideLevels, swapLevels } from './levels.js';
import { cursor, readBareDecimal, readDecimal, readInteger } from './numbers.js';

/** What differs between the srcs of one venue inside a message. */
export interface Names {
  symbol: Uint8Array;
  priceDecimals: number;
  sizeDecimals: number;
  fineDecimals: number;
}

/**
 * Decodes the message whose stream's name begins at `p` into the record at offset `o` of `out.events`; returns where it ends,
 * or -1.
 */
export type Template = (
  bytes: Uint8Array,
  view: DataView,
  p: number,
  end: number,
  names: Names,
  out: EventBuffer,
  o: number,
) => number;

/** Records that the last message was decoded to. One shared cell, as `cursor`. */
export const templateRows = { count: 1 };

const encoder = new TextEncoder();

/** An expression that is true where `text` does not stand at `p`. */
function differs(text: string): string {
  const bytes = encoder.encode(text);
  const view = new DataView(bytes.buffer);
  const tests = [`p + ${bytes.length} > end`];
  let i = 0;
  // eight bytes as a float64: no text is NaN or zero, so it differs where a bit does, and half the loads do
  for (; i + 8 <= bytes.length; i += 8) tests.push(`view.getFloat64(p + ${i}, true) !== ${view.getFloat64(i, true)}`);
  for (; i + 4 <= bytes.length; i += 4) tests.push(`view.getInt32(p + ${i}, true) !== ${view.getInt32(i, true)}`);
  for (; i < bytes.length; i++) tests.push(`bytes[p + ${i}] !== ${bytes[i]}`);
  return tests.join(' || ');
}

const lengthOf = (text: string): number => encoder.encode(text).length;
const literal = (text: string): string => `if (${differs(text)}) return -1; p += ${lengthOf(text)};`;

const SYMBOL = `{ const s = names.symbol; const n = s.length; if (p + n > end) return -1;
   for (let i = 0; i < n; i++) if (bytes[p + i] !== s[i]) return -1; p += n; }`;

/** Skips the inside of a string that is plain ASCII without escapes; stops at the closing quote. */
const SKIP_TEXT = `for (;;) { const c = bytes[p]; if (c === 34) break; if (!(c >= 32 && c < 127) || c === 92) return -1; p++; }`;

/** The least integer that is a value: a 0 may say that there is none. */
const least = ({ positive }: FieldLayout): number => (positive === true ? 1 : 0);

function fieldSource(field: FieldLayout, layout: MessageLayout): string {
  const target = FIELD_OF[field.means];
  switch (field.form) {
    case 'time':
      return `{ const v = readInteger(bytes, view, p); if (v < ${least(field)}) return -1; p = cursor.at; e[o + ${target}] = v >= 1e15 ? v : v * 1000; }`;
    case 'id':
      // prints that were merged have ids that end with the trade's own
      if (field.means === 'count')
        return `{ const v = readInteger(bytes, view, p); if (v < 0) return -1; p = cursor.at; e[o + ${Field.FIRST}] = e[o + ${Field.LAST}] - (v > 0 ? v - 1 : 0); }`;
      return `{ const v = readInteger(bytes, view, p); if (v < ${least(field)}) return -1; p = cursor.at; e[o + ${target}] = v;${
        field.means === 'id' ? ` e[o + ${Field.FIRST}] = v;` : ''
      } }`;
    case 'price':
    case 'size':
    case 'fine':
      if (field.bare === true)
        return `{ const v = readBareDecimal(bytes, p, names.${field.form}Decimals); if (v < 0) return -1; p = cursor.at; e[o + ${target}] = v; }`;
      // the quote that closes the number begins the next literal
      return `{ const v = readDecimal(bytes, p, names.${field.form}Decimals); if (v < 0) return -1; p = cursor.at - 1; ${
        field.means === 'flowSize' ? `if (v === 0) flags |= ${OFF_BOOK}; else ` : ''
      }e[o + ${target}] = v; }`;
    case 'rate':
      return `{ const sign = bytes[p] === 45 ? -1 : 1; if (sign < 0) p++; const v = readDecimal(bytes, p, ${RATE_DECIMALS}); if (v < 0) return -1; p = cursor.at - 1; e[o + ${target}] = v === 0 ? 0 : sign * v; }`;
    case 'levels':
      return `{ const n = ${levelReaderOf(field)}(bytes, p, names.priceDecimals, names.sizeDecimals, out); if (n < 0) return -1; p = cursor.at; e[o + ${
        field.means === 'bids' ? Field.SIZE : Field.PRICE2
      }] = n; }`;
    case 'flag':
      if (field.means === 'offBook')
        return `if (bytes[p] === 116) { ${literal('true')} flags |= ${OFF_BOOK}; } else { ${literal('false')} }`;
      // the aggressor is the taker: buyer is maker means a sell
      return `if (bytes[p] === 116) { ${literal('true')} e[o + ${Field.SIDE}] = -1; } else { ${literal('false')} e[o + ${Field.SIDE}] = 1; }`;
    case 'text': {
      if (field.means === 'aggressor') {
        const { buy = '', sell = '' } = layout.aggressors ?? {};
        const close = field.bare === true ? '' : '"';
        return `if (!(${differs(`${buy}${close}`)})) { p += ${lengthOf(buy)}; e[o + ${Field.SIDE}] = 1; } else { ${literal(sell)} e[o + ${Field.SIDE}] = -1; }`;
      }
      const prints = (layout.flowPrints ?? []).map(
        (print) => `if (!(${differs(`${print}"`)})) p += ${lengthOf(print)}; else `,
      );
      return `${prints.join('')}{ ${SKIP_TEXT} flags |= ${OFF_BOOK}; }`;
    }
  }
}

function stepSource(step: Step, layout: MessageLayout, numbered: number): string {
  switch (step.kind) {
    case 'literal':
      return literal(step.text);
    case 'streams':
      return step.names
        .map(
          (name, variant) =>
            `if (!(${differs(`${name}${step.close}`)})) { p += ${lengthOf(name)}; flags |= ${flagsOf(0, variant)}; }`,
        )
        .concat('return -1;')
        .join(' else ');
    case 'symbol':
      return SYMBOL;
    case 'anyText':
      return SKIP_TEXT;
    case 'anyInteger':
      return 'if (readInteger(bytes, view, p) < 0) return -1; p = cursor.at;';
    case 'anyFlag':
      return `if (bytes[p] === 116) { ${literal('true')} } else { ${literal('false')} }`;
    case 'optional':
      return `if (!(${differs(step.first)})) { p += ${lengthOf(step.first)}; ${step.steps
        .map((inner) => stepSource(inner, layout, numbered))
        .join(' ')} }`;
    case 'field':
      return fieldSource(step.field, layout);
    case 'rows':
      // what the message says once is in every record
      return `const base = flags; for (;;) { flags = base; ${step.steps.map((inner) => stepSource(inner, layout, numbered)).join(' ')}
        const more = bytes[p] === 44;
        e[o + ${Field.FLAGS}] = flags | ${flagsOf(numbered, 0)} | (more ? ${MORE} : 0);
        if (!more) break;
        p++; rows.count++;
        if (o + ${2 * EVENT_STRIDE} > e.length) return -1;
        e.copyWithin(o + ${EVENT_STRIDE}, o, o + ${EVENT_STRIDE}); o += ${EVENT_STRIDE}; }`;
  }
}

/** The record is used again: what a message does not carry must not keep the value of an earlier one. */
function absentSource(form: Form): string {
  return absentIn(form)
    .map(({ field, value }) => `e[o + ${field}] = ${value};`)
    .join(' ');
}

/** Puts what stands behind rows into the records of all of them; `o` is at the last. */
function spreadSource(form: Form): string {
  const copies = targetsBehindRows(form).map((field) => `e[r + ${field}] = e[o + ${field}];`);
  if (copies.length === 0) return '';
  return `for (let r = o - (rows.count - 1) * ${EVENT_STRIDE}; r < o; r += ${EVENT_STRIDE}) { ${copies.join(' ')} }`;
}

function templateSource(form: Form): string {
  const { numbered, layout, steps } = form;
  const hasRows = steps.some(({ kind }) => kind === 'rows');
  const book = hasLevels(layout);
  return `(bytes, view, p, end, names, out, o) => {
  const e = out.events; let flags = 0; rows.count = 1;
  ${absentSource(form)}
  ${book ? `e[o + ${Field.PRICE}] = out.levelCount;` : ''}
  e[o + ${Field.KIND}] = ${KIND_OF[layout.event]};
  ${steps.map((step) => stepSource(step, layout, numbered)).join('\n  ')}
  ${hasAsksFirst(form) ? `swapLevels(out, e[o + ${Field.PRICE}], e[o + ${Field.PRICE2}], e[o + ${Field.SIZE}]);` : ''}
  ${spreadSource(form)}
  ${hasRows ? '' : `e[o + ${Field.FLAGS}] = flags | ${flagsOf(numbered, 0)};`}
  return p;
}`;
}

/** Compiles a usual form. */
export function compileTemplate(form: Form): Template {
  // the source is made from the layouts of this program alone, never from input
  return new Function(
    'readInteger',
    'readDecimal',
    'readBareDecimal',
    'readLevels',
    'readWideLevels',
    'readBareLevels',
    'swapLevels',
    'cursor',
    'rows',
    `return ${templateSource(form)}`,
  )(
    readInteger,
    readDecimal,
    readBareDecimal,
    readLevels,
    readWideLevels,
    readBareLevels,
    swapLevels,
    cursor,
    templateRows,
  ) as Template;
}

/** The decoders of a venue's messages by stream key, each compiled when the first message asks for it. */
export function createTemplates(layouts: Layouts): (key: number) => readonly Template[] {
  const forms = new Map<number, Form[]>();
  for (const form of formsOf(layouts))
    for (const key of new Set(form.keys)) forms.set(key, [...(forms.get(key) ?? []), form]);
  const templates = new Map<number, Template[]>();
  const none: Template[] = [];
  return (key) => {
    const known = templates.get(key);
    if (known !== undefined) return known;
    const found = forms.get(key);
    if (found === undefined) return none;
    const compiled = found.map(compileTemplate);
    templates.set(key, compiled);
    return compiled;
  };
}
