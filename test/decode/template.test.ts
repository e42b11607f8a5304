/** Generated decoders: what a form accepts, what it refuses, and that it leaves nothing of an earlier record. */
import { describe, expect, it } from 'vitest';
import { createDecoder } from '../../src/decode/decoder.js';
import { FIELD_OF, filledBy } from '../../src/decode/fields.js';
import { formsOf } from '../../src/decode/forms.js';
import type { FieldLayout, Layouts } from '../../src/decode/layout.js';
import { compileTemplate } from '../../src/decode/template.js';
import { EVENT_STRIDE, EventBuffer, Field, Kind, OFF_BOOK, STREAM_SHIFT } from '../../src/model/event.js';
import { futuresLayouts, spotLayouts } from '../../src/venues/binance-layouts.js';
import { bingxLayouts } from '../../src/venues/bingx.js';
import { bybitLayouts } from '../../src/venues/bybit.js';
import { mexcLayouts } from '../../src/venues/mexc.js';
import { okxLayouts } from '../../src/venues/okx.js';
import { weexLayouts } from '../../src/venues/weex.js';

const id: FieldLayout = { key: 'i', form: 'id', means: 'id' };
const print: FieldLayout = { key: 'x', form: 'text', means: 'print' };

/** A made-up venue: another wrapper, another separator, short names. */
function layoutsOf(change: Partial<Layouts['messages'][number]> = {}): Layouts {
  return {
    id: 'made_up',
    wrapper: '{"ch":"<topic>","d":<payload>}',
    topic: { stream: ['ch'], symbol: null, separator: '::', symbolFirst: true, lowerCase: true },
    payload: 'd',
    type: 'e',
    control: [],
    messages: [
      {
        name: 'trade',
        event: 'trade',
        streams: ['t'],
        type: null,
        fields: [id, print],
        usual: ['{"i":<i>,"x":"<x>","note":"<*>","n":<#>}'],
        ...change,
      },
    ],
  };
}

const LEAD = '{"ch":"ab::';
const names = { symbol: Buffer.from('AB'), priceDecimals: 2, sizeDecimals: 0, fineDecimals: 8 };
const message = (payload: string): string => `{"ch":"ab::t","d":${payload}}`;

function run(layouts: Layouts, text: string, out = new EventBuffer(2, 2)): number {
  const template = compileTemplate(formsOf(layouts)[0]);
  const bytes = Buffer.from(text);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  // what stands before the stream's name is the envelope's
  return text.startsWith(LEAD) ? template(bytes, view, LEAD.length, bytes.length, names, out, 0) : -1;
}

describe('forms of other venues', () => {
  it.each([
    ['Bybit', bybitLayouts, 12],
    ['OKX', okxLayouts, 7],
    ['BingX', bingxLayouts, 3],
    ['WEEX', weexLayouts, 3],
  ] as const)('%s: each compiles and names every field it must fill, its rows included', (_, layouts, count) => {
    expect(formsOf(layouts).map(compileTemplate)).toHaveLength(count);
    for (const { usual = [], usualRows = [''], fields } of layouts.messages)
      for (const one of usual)
        for (const row of usualRows)
          for (const field of fields)
            if (field.optional !== true)
              expect(`${layouts.wrapper}${one}${row}`).toContain(
                field.means === 'symbol' ? '<symbol>' : `<${field.key}>`,
              );
  });
});

describe('streams named in two places', () => {
  const numbered: FieldLayout = { key: 'i', form: 'id', means: 'id' };
  const apart = (streams: string[], usual: string): Layouts => ({
    ...layoutsOf({ streams, fields: [numbered], usual: [usual] }),
    topic: { stream: ['e', 'n'], symbol: 's' },
    wrapper: '{"e":"<stream>","s":"<symbol>",<payload>',
    type: 'kind',
    payload: '',
  });
  const streams = ['book5', 'book50', 'book0'];
  const usual = '"i":<i>,"n":</n>}';

  it.each([
    ['{"e":"book","s":"AB","i":7,"n":5}', 0, 1],
    ['{"e":"book","s":"AB","i":7,"n":50}', 1, 1],
    ['{"e":"book","s":"AB","i":7,"n":0}', 2, 1],
    ['{"e":"book","s":"AB","n":50,"i":7}', 1, 0],
    ['{"e":"book","s":"AB","i":7,"n":"50"}', 1, 0],
    // the same name in other parts
    ['{"e":"book5","s":"AB","i":7,"n":0}', 1, 0],
    ['{"e":"book50","s":"AB","i":7}', 1, 0],
    ['{"e":"book","s":"AB","i":7,"n":500}', null, 0],
    ['{"e":"book","s":"AB","i":7,"n":51}', null, 0],
    ['{"e":"book","s":"AB","i":7,"n":05}', null, 0],
    ['{"e":"book","s":"AB","i":7,"n":5.0}', 0, 0],
    ['{"e":"book","s":"AB","i":7,"n":}', null, 0],
    ['{"e":"books","s":"AB","i":7,"n":5}', null, 0],
  ])('%s is variant %s', (text, variant, fast) => {
    const layouts = apart(streams, usual);
    for (const mode of ['typescript', 'json'] as const) {
      const decoder = createDecoder(mode);
      decoder.bind('v:AB', { layouts, symbol: 'AB', scale: { price: 2, size: 0 }, flow: 'trade' });
      const out = new EventBuffer(4, 4);
      const line = `{"t":1700000000000000,"src":"v:AB","msg":${text}}\n`;
      decoder.decode(Buffer.from(line), 0, line.length, out);
      const told = out.events[Field.KIND] === Kind.trade ? (out.events[Field.FLAGS] >> STREAM_SHIFT) & 15 : null;
      expect([mode, told, decoder.counts.fast]).toEqual([mode, variant, mode === 'json' ? 0 : fast]);
    }
  });

  it('a form that cannot tell them apart is a fault of the layout', () => {
    expect(() => formsOf(apart(['book5', 'trade5'], usual))).toThrow(/trade: its streams begin differently/);
    expect(() => formsOf(apart(['book5', 'book'], usual))).toThrow(/trade: no integer ends book/);
    expect(() => formsOf(apart(streams, '"i":<i>(,"n":</n>)}'))).toThrow(/trade: an optional part/);
  });

  it('MEXC: each compiles and fills all that its layout must', () => {
    const forms = formsOf(mexcLayouts);
    expect(forms.map(compileTemplate)).toHaveLength(8);
    for (const form of forms) {
      const filled = filledBy(form);
      // a range fills what one id would
      for (const { means, optional } of form.layout.fields)
        if (optional !== true && means !== 'bids' && means !== 'asks')
          expect([
            form.layout.name,
            means,
            filled.has(means === 'aggressor' ? Field.SIDE : (FIELD_OF[means] ?? -1)),
          ]).toEqual([...[form.layout.name, means, true]]);
      if (form.layout.event !== 'trade') expect(filled.has(Field.SIZE) && filled.has(Field.PRICE2)).toBe(true);
    }
  });
});

describe('a generated decoder', () => {
  const good = message('{"i":7,"x":"M","note":"any text","n":12}');

  it('reads the form to its last byte and clears what it does not carry', () => {
    const out = new EventBuffer(2, 2);
    out.events.fill(99);
    expect(run(layoutsOf({ flowPrints: ['M'] }), good, out)).toBe(good.length);
    const e = out.events;
    expect([e[Field.KIND], e[Field.FIRST], e[Field.LAST], e[Field.PREVIOUS]]).toEqual([Kind.trade, 7, 7, -1]);
    for (const field of ['EMITTED', 'MATCHED', 'SIDE', 'PRICE', 'SIZE', 'PRICE2', 'SIZE2', 'FLAGS'] as const)
      expect([field, e[Field[field]]]).toEqual([field, 0]);
  });

  it('refuses every single changed byte that is not inside a hole', () => {
    const layouts = layoutsOf({ flowPrints: ['M'] });
    const holes = new Set<number>();
    for (const inside of ['7', 'M', 'any text', '12']) {
      const from = good.indexOf(inside, 15);
      for (let i = from; i < from + inside.length; i++) holes.add(i);
    }
    for (let i = 0; i < good.length; i++) {
      if (holes.has(i)) continue;
      const changed = `${good.slice(0, i)}~${good.slice(i + 1)}`;
      expect([i, run(layouts, changed)]).toEqual([i, -1]);
    }
  });

  it('refuses every cut', () => {
    for (let i = 0; i < good.length; i++) expect([i, run(layoutsOf(), good.slice(0, i))]).toEqual([i, -1]);
  });

  it.each([
    ['an escape in a skipped text', good.replace('any', 'a\\ny')],
    ['a quote in a skipped text', good.replace('any', 'a"y')],
    ['a control character in a skipped text', good.replace('any', 'a\u0001y')],
    ['a byte outside ASCII in a skipped text', good.replace('any', 'aéy')],
    ['a leading zero in a skipped integer', good.replace('12', '012')],
    ['a fraction in a skipped integer', good.replace('12', '1.2')],
    ['an integer above 2^53', good.replace('12', '9007199254740992')],
  ])('refuses %s', (_, text) => {
    expect(text).not.toBe(good);
    expect(run(layoutsOf(), text)).toBe(-1);
  });

  it('tags every print as off-book that is not named as flow, as the JSON decoder does', () => {
    for (const flowPrints of [['M'], ['N', 'MM', ''], undefined]) {
      const layouts = layoutsOf(flowPrints === undefined ? {} : { flowPrints });
      const flags = (['wasm', 'json'] as const).map((mode) => {
        const decoder = createDecoder(mode);
        decoder.bind('v:AB', { layouts, symbol: 'AB', scale: { price: 2, size: 0 }, flow: 'trade' });
        const out = new EventBuffer(4, 4);
        const lines = ['M', 'MM', '', 'N']
          .map((x) => `{"t":1700000000000000,"src":"v:AB","msg":${good.replace('"M"', `"${x}"`)}}\n`)
          .join('');
        decoder.decode(Buffer.from(lines), 0, lines.length, out);
        expect([out.count, decoder.counts.fast]).toEqual([4, mode === 'wasm' ? 4 : 0]);
        return [0, 1, 2, 3].map((i) => (out.events[i * 16 + Field.FLAGS] & OFF_BOOK) !== 0);
      });
      expect(flags[0]).toEqual(flags[1]);
      expect(flags[0][0]).toBe(flowPrints?.[0] !== 'M');
    }
  });

  it('a form that names a field nobody described is a fault of the layout', () => {
    expect(() => formsOf(layoutsOf({ usual: ['{"z":<z>}'] }))).toThrow(/trade.*<z>/);
  });

  it('refuses a 0 that counts as missing', () => {
    const field: FieldLayout = { key: 'z', form: 'id', means: 'id', positive: true };
    const layouts = layoutsOf({ fields: [field], usual: ['{"z":<z>}'] });
    const texts = ['1', '0', '10'].map((z) => message(`{"z":${z}}`));
    expect(texts.map((text) => run(layouts, text))).toEqual([texts[0].length, -1, texts[2].length]);
  });
});

describe('a stream that is named behind the payload', () => {
  const fields: FieldLayout[] = [
    { key: '/at', form: 'time', means: 'emitted' },
    { key: 'i', form: 'id', means: 'id' },
    { key: 'p', form: 'price', means: 'price', loose: true, bare: true },
    { key: 'a', form: 'text', means: 'aggressor', loose: true, bare: true },
  ];
  const row = '{"i":<i>,"p":<p>,"a":<a>}';
  const layouts = (change: Partial<Layouts['messages'][number]> = {}): Layouts => ({
    ...layoutsOf({
      fields,
      usual: [`[<rows>]`, row],
      usualRows: [row],
      rows: 'd',
      aggressors: { buy: '1', sell: '12' },
      ...change,
    }),
    wrapper: '{"s":"<symbol>","d":<payload>,"ch":"<stream>","at":</at>}',
    topic: { stream: ['ch'], symbol: 's' },
  });
  const lead = '{"s":"AB","d":';

  it('is read behind it, and what stands there is in every record', () => {
    const text = `${lead}[{"i":7,"p":1.5,"a":1},{"i":8,"p":12,"a":12},{"i":9,"p":0.25,"a":1}],"ch":"t","at":1786000001237}`;
    const decoders = (['typescript', 'json'] as const).map((mode) => {
      const decoder = createDecoder(mode);
      decoder.bind('v:AB', { layouts: layouts(), symbol: 'AB', scale: { price: 2, size: 0 }, flow: 't' });
      const bytes = Buffer.from(`{"t":1700000000000000,"src":"v:AB","msg":${text}}\n`.repeat(2));
      const out = new EventBuffer(8, 4);
      out.events.fill(99);
      decoder.decode(bytes, 0, bytes.length, out);
      return { decoder, records: [...out.events.subarray(0, out.count * EVENT_STRIDE)] };
    });
    const [typescript, json] = decoders;
    // a buying aggressor begins as a selling one does, so that the message goes another way; the next is the same
    expect(typescript.decoder.counts.fast + typescript.decoder.counts.general).toBe(2);
    expect(typescript.records).toEqual(json.records);
    const plain = text.replaceAll('"a":12', '"a":1');
    const out = new EventBuffer(8, 4);
    const template = compileTemplate(formsOf(layouts())[0]);
    const bytes = Buffer.from(plain);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    expect(template(bytes, view, lead.length, bytes.length, names, out, 0)).toBe(bytes.length);
    const column = (field: number): number[] => [0, 1, 2].map((n) => out.events[n * EVENT_STRIDE + field]);
    expect(column(Field.EMITTED)).toEqual(Array(3).fill(1786000001237000));
    expect(column(Field.LAST)).toEqual([7, 8, 9]);
    expect(column(Field.PRICE)).toEqual([150, 1200, 25]);
  });

  const faults: [what: string, change: Partial<Layouts['messages'][number]>, why: RegExp][] = [
    ['a payload that begins with a hole', { usual: ['{<i>}'] }, /trade: a payload begins with four bytes/],
    ['rows of one of several streams', { streams: ['t', 'u'] }, /trade: rows do not know which stream/],
    [
      'a price behind rows',
      { fields: [...fields.slice(1), { key: '/at', form: 'price', means: 'price' }] },
      /trade: behind rows there are times and ids alone/,
    ],
  ];

  it.each(faults)('%s is a fault of the layout', (_, change, why) => {
    expect(() => formsOf(layouts(change))).toThrow(why);
  });
});

describe('layouts of the venue', () => {
  it.each([
    ['futures', futuresLayouts],
    ['spot', spotLayouts],
  ])('%s: every form compiles, names every field it must fill, and its streams are distinct', (_, layouts) => {
    const streams = layouts.messages.flatMap((layout) => layout.streams);
    expect(new Set(streams).size).toBe(streams.length);
    layouts.messages.forEach((layout, index) => {
      expect(layout.streams.length).toBeLessThanOrEqual(16);
      const forms = formsOf(layouts).filter((form) => form.index === index);
      expect(forms.map(compileTemplate)).toHaveLength(layout.usual?.length ?? 0);
      for (const usual of layout.usual ?? [])
        for (const field of layout.fields)
          if (field.optional !== true)
            expect(usual).toContain(field.means === 'symbol' ? '<symbol>' : `<${field.key}>`);
    });
  });
});
