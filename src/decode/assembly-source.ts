/** Writes the AssemblyScript source of the usual forms: one function per form, and the choice among them. */
import { EVENT_STRIDE, Field, MORE, OFF_BOOK, RATE_DECIMALS } from '../model/event.js';
import { absentIn, FIELD_OF, flagsOf, hasLevels, KIND_OF, levelReaderOf, targetsBehindRows } from './fields.js';
import { type Form, formsOf, hasAsksFirst, type Step } from './forms.js';
import type { FieldLayout, Layouts, MessageLayout } from './layout.js';

const FIELD_BYTES = 8;
const RECORD_BYTES = EVENT_STRIDE * FIELD_BYTES;
/** Numbers whose length is remembered; `memory.as.ts` leaves this much room. */
const MOST_GUESSES = 2000;
const encoder = new TextEncoder();

const hex = (value: bigint | number): string => `0x${value.toString(16)}`;

/** Loads of 8, 4, 2 and 1 bytes that together compare a literal; the last may overlap the one before. */
function* chunksOf(bytes: Uint8Array): Generator<{ type: string; at: number; value: bigint }> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const n = bytes.length;
  let at = 0;
  for (; at + 8 <= n; at += 8) yield { type: 'u64', at, value: view.getBigUint64(at, true) };
  const rest = n - at;
  if (rest === 0) return;
  if (n >= 8) yield { type: 'u64', at: n - 8, value: view.getBigUint64(n - 8, true) };
  else {
    if (rest >= 4) yield { type: 'u32', at, value: BigInt(view.getUint32(at, true)) };
    const left = rest & 3;
    if (n >= 4 && left > 0) yield { type: 'u32', at: n - 4, value: BigInt(view.getUint32(n - 4, true)) };
    else {
      if (left >= 2) yield { type: 'u16', at, value: BigInt(view.getUint16(at, true)) };
      if ((left & 1) === 1) yield { type: 'u8', at: n - 1, value: BigInt(bytes[n - 1]) };
    }
  }
}

/** An expression that is true where `text` stands at `p`. */
function standsHere(text: string): string {
  return [...chunksOf(encoder.encode(text))]
    .map(({ type, at, value }) => `load<${type}>(p, ${at}) == ${hex(value)}`)
    .join(' && ');
}

const lengthOf = (text: string): number => encoder.encode(text).length;

const literal = (text: string): string => `if (!(${standsHere(text)})) return 0; p += ${lengthOf(text)};`;
/** A number of levels that the record holds. */
const countAt = (field: number): string => `<u32>(<i32>load<f64>(o, ${field * FIELD_BYTES}))`;
const setField = (field: number, value: string): string => `store<f64>(o, ${value}, ${field * FIELD_BYTES});`;

/**
 * Reads a number and steps over it by its length last time, which is right nearly always: what follows then need not wait until the
 * number's end is found. The store keeps the correction a branch, which the processor guesses.
 */
function number(read: string, guess: number): string {
  return `x = ${read}; if (x == 0) return 0; n = <u32>(x >> 56); ${stepOver(guess)} x &= VALUE;`;
}

/** Steps over `n` bytes, which nearly always are as many as last time. */
function stepOver(guess: number): string {
  return `g = load<u32>(GUESSES, ${guess * 4}); if (n != g) { store<u32>(GUESSES, n, ${guess * 4}); g = n; } p += g;`;
}

/** A 0 may say that there is no value. */
const noZero = ({ positive }: FieldLayout): string => (positive === true ? 'if (x == 0) return 0; ' : '');

function fieldSource(field: FieldLayout, layout: MessageLayout, guess: number): string {
  const target = FIELD_OF[field.means] ?? 0;
  switch (field.form) {
    case 'time':
      return `${number('readInteger(p)', guess)} ${noZero(field)}${setField(target, '<f64>(<i64>(x >= 1000000000000000 ? x : x * 1000))')}`;
    case 'id':
      // prints that were merged have ids that end with the trade's own
      if (field.means === 'count')
        return `${number('readInteger(p)', guess)} ${setField(Field.FIRST, `load<f64>(o, ${Field.LAST * FIELD_BYTES}) - <f64>(<i64>(x > 0 ? x - 1 : 0))`)}`;
      return `${number('readInteger(p)', guess)} ${noZero(field)}${setField(target, '<f64>(<i64>x)')}${
        field.means === 'id' ? ` ${setField(Field.FIRST, '<f64>(<i64>x)')}` : ''
      }`;
    case 'price':
    case 'size':
      if (field.bare === true)
        return `${number(`readBareDecimal(p, ${field.form}Decimals, ${field.form}Table)`, guess)} ${setField(target, '<f64>(<i64>x)')}`;
      // the quote that closes the number begins the next literal
      return `${number(`readDecimal(p, ${field.form}Decimals, ${field.form}Table)`, guess)} p--; ${
        field.means === 'flowSize' ? `if (x == 0) flags |= ${OFF_BOOK}; else ` : ''
      }${setField(target, '<f64>(<i64>x)')}`;
    case 'fine':
      return `${number('readDecimal(p, fineDecimals, tableOf(fineDecimals))', guess)} p--; ${setField(target, '<f64>(<i64>x)')}`;
    case 'rate':
      // so many decimals have no table
      return `{ const sign: f64 = load<u8>(p) == 45 ? -1 : 1; if (sign < 0) p++; ${number(`readDecimal(p, ${RATE_DECIMALS}, 0)`, guess)} p--; ${setField(target, 'x == 0 ? 0 : sign * <f64>(<i64>x)')} }`;
    case 'levels': {
      const count = field.means === 'bids' ? Field.SIZE : Field.PRICE2;
      return `held = levelCount; p = ${levelReaderOf(field)}(p, to); if (p == 0) return 0; ${setField(count, '<f64>(<i32>(levelCount - held))')}`;
    }
    case 'flag':
      if (field.means === 'offBook')
        return `if (${standsHere('true')}) { p += 4; flags |= ${OFF_BOOK}; } else { ${literal('false')} }`;
      // the aggressor is the taker: buyer is maker means a sell
      return `if (${standsHere('true')}) { p += 4; ${setField(Field.SIDE, '-1')} } else { ${literal('false')} ${setField(Field.SIDE, '1')} }`;
    case 'text': {
      if (field.means === 'aggressor') {
        const { buy = '', sell = '' } = layout.aggressors ?? {};
        const close = field.bare === true ? '' : '"';
        return `if (${standsHere(`${buy}${close}`)}) { p += ${lengthOf(buy)}; ${setField(Field.SIDE, '1')} } else { ${literal(sell)} ${setField(Field.SIDE, '-1')} }`;
      }
      const prints = (layout.flowPrints ?? []).map(
        (print) => `if (${standsHere(`${print}"`)}) p += ${lengthOf(print)}; else `,
      );
      return `${prints.join('')}{ p = skipText(p); if (p == 0) return 0; flags |= ${OFF_BOOK}; }`;
    }
  }
}

function stepSource(step: Step, layout: MessageLayout, numbered: number, guesses: () => number): string {
  switch (step.kind) {
    case 'literal':
      return literal(step.text);
    case 'streams':
      return step.names
        .map(
          (name, variant) =>
            `if (${standsHere(`${name}${step.close}`)}) { p += ${lengthOf(name)}; flags |= ${flagsOf(0, variant)}; }`,
        )
        .concat('return 0;')
        .join(' else ');
    case 'symbol':
      return 'p = matchSymbol(p); if (p == 0) return 0;';
    case 'anyText':
      return 'p = skipText(p); if (p == 0) return 0;';
    case 'anyInteger':
      return `n = digitsAt(p); if (n == 0) return 0; ${stepOver(guesses())}`;
    case 'anyFlag':
      return `if (${standsHere('true')}) p += 4; else { ${literal('false')} }`;
    case 'optional':
      return `if (${standsHere(step.first)}) { p += ${lengthOf(step.first)}; ${step.steps
        .map((inner) => stepSource(inner, layout, numbered, guesses))
        .join(' ')} }`;
    case 'field':
      return fieldSource(step.field, layout, guesses());
    case 'rows':
      // what the message says once is in every record
      return `const base = flags; let more = true; while (more) { flags = base;
    ${step.steps.map((inner) => stepSource(inner, layout, numbered, guesses)).join(' ')}
    more = load<u8>(p) == 44;
    ${setField(Field.FLAGS, `<f64>(<i32>(flags | ${flagsSource(numbered)} | (more ? ${MORE} : 0)))`)}
    if (more) { p++; addRow(); if (o + ${2 * RECORD_BYTES} > recordsEnd) return 0; memory.copy(o + ${RECORD_BYTES}, o, ${RECORD_BYTES}); o += ${RECORD_BYTES}; } }`;
  }
}

/** Flags of a layout's records, but for the variant. */
const flagsSource = (numbered: number): string => `${flagsOf(numbered, 0)} | ((notFlow >> ${numbered}) & 1) << 1`;

/** The record is used again: what a message does not carry must not keep the value of an earlier one. */
function absentSource(form: Form): string {
  return absentIn(form)
    .map(({ field, value }) => setField(field, String(value)))
    .join(' ');
}

/** Puts what stands behind rows into the records of all of them; `o` is at the last. */
function spreadSource(form: Form): string {
  const copies = targetsBehindRows(form).map(
    (field) => `store<f64>(r, load<f64>(o, ${field * FIELD_BYTES}), ${field * FIELD_BYTES});`,
  );
  if (copies.length === 0) return '';
  return `let r: u32 = o - (rows - 1) * ${RECORD_BYTES}; while (r < o) { ${copies.join(' ')} r += ${RECORD_BYTES}; }`;
}

function formSource(form: Form, name: string, guesses: () => number): string {
  const { numbered, layout, steps } = form;
  const hasRows = steps.some(({ kind }) => kind === 'rows');
  const book = hasLevels(layout);
  return `function ${name}(p: u32, to: u32, o: u32): u32 {
  let x: u64 = 0; let n: u32 = 0; let g: u32 = 0; let held: u32 = 0; let flags: u32 = 0;
  ${absentSource(form)}
  ${book ? setField(Field.PRICE, '<f64>(<i32>levelCount)') : ''}
  ${setField(Field.KIND, String(KIND_OF[layout.event]))}
  ${steps.map((step) => stepSource(step, layout, numbered, guesses)).join('\n  ')}
  ${hasAsksFirst(form) ? `swapLevels(${countAt(Field.PRICE)}, ${countAt(Field.PRICE2)}, ${countAt(Field.SIZE)});` : ''}
  ${spreadSource(form)}
  ${hasRows ? '' : setField(Field.FLAGS, `<f64>(<i32>(flags | ${flagsSource(numbered)}))`)}
  return p;
}
`;
}

function familySource(layouts: Layouts, guesses: () => number): string {
  const forms = formsOf(layouts);
  const names = forms.map((_, n) => `${layouts.id}_${n}`);
  const keys = [...new Set(forms.flatMap((form) => form.keys))];
  const namesOf = (key: number): string[] => names.filter((_, n) => forms[n].keys.includes(key));
  const fitOf = (n: number): string => `${layouts.id}_fit_${n}`;
  const branches = keys.map((key, n) => `if (key == ${hex(key)}) { ${triesSource(namesOf(key), fitOf(n))} }`);
  return `${forms.map((form, n) => formSource(form, names[n], guesses)).join('\n')}
${keys.map((_, n) => `let ${fitOf(n)}: u32 = 0;`).join('\n')}
function ${layouts.id}(p: u32, to: u32, o: u32): u32 {
  const key = load<u32>(p); const held = levelCount; let q: u32 = 0;
  ${branches.join('\n  ')}
  return 0;
}
`;
}

/** Tries forms, first the one that fitted last: those that differ behind their levels only would read them several times. */
function triesSource(names: readonly string[], fit: string): string {
  if (names.length === 1) return `return ${names[0]}(p, to, o);`;
  // a form that does not fit may have read levels already
  const tries = names.map((name, n) => [
    `if (first == ${n}) { q = ${name}(p, to, o); if (q != 0) return q; setLevels(held); setRows(); }`,
    `if (first != ${n}) { q = ${name}(p, to, o); if (q != 0) { ${fit} = ${n}; return q; } setLevels(held); setRows(); }`,
  ]);
  return [
    `const first = ${fit};`,
    ...tries.map(([again]) => again),
    ...tries.map(([, other]) => other),
    'return 0;',
  ].join(' ');
}

/** A number by which a program can tell whether the compiled forms are those of these layouts. */
export function digestOf(layouts: Layouts): number {
  let digest = 0x811c9dc5;
  for (const byte of encoder.encode(JSON.stringify(layouts))) digest = Math.imul(digest ^ byte, 0x01000193);
  return digest | 0;
}

/** The module `forms` that the scanner's loop imports. Families are numbered in the order given. */
export function formsSource(families: readonly Layouts[]): string {
  let used = 0;
  const guesses = (): number => {
    if (used === MOST_GUESSES) throw new Error('the forms have more numbers than there is room for their lengths');
    return used++;
  };
  return `import { readBareLevels, readLevels, readWideLevels, swapLevels } from './levels';
import { GUESSES } from './memory';
import { VALUE, digitsAt, readBareDecimal, readInteger, readDecimal, tableOf } from './numbers';
import { addRow, fineDecimals, levelCount, matchSymbol, notFlow, priceDecimals, priceTable, recordsEnd, rows, setLevels, setRows, sizeDecimals, sizeTable, skipText } from './state';
${families.map((family) => familySource(family, guesses)).join('\n')}
export function decodeForm(family: u32, p: u32, to: u32, o: u32): u32 {
  ${families.map(({ id }, n) => `if (family == ${n}) return ${id}(p, to, o);`).join('\n  ')}
  return 0;
}

/** which layouts a family was made from; 0 beyond the last */
export function digestOf(family: u32): i32 {
  ${families.map((layouts, n) => `if (family == ${n}) return ${digestOf(layouts)};`).join('\n  ')}
  return 0;
}
`;
}
