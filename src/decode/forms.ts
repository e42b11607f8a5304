/** The usual byte forms of a venue's messages, taken apart into steps: what both scanners are generated from. */
import { type FieldLayout, indexOfStream, type Layouts, type MessageLayout } from './layout.js';

/** One thing to do at the current byte. */
export type Step =
  /** these bytes and no others */
  | { kind: 'literal'; text: string }
  /** one of the layout's stream names, or of their ends, behind which `close` stands; which one is the variant */
  | { kind: 'streams'; names: readonly string[]; close: string }
  /** a value that fills the record */
  | { kind: 'field'; field: FieldLayout }
  /** the symbol of the src */
  | { kind: 'symbol' }
  /** the inside of a plain ASCII string, a plain integer, a boolean: nobody reads them */
  | { kind: 'anyText' | 'anyInteger' | 'anyFlag' }
  /** taken when the literal it begins with stands here, else passed over */
  | { kind: 'optional'; first: string; steps: readonly Step[] }
  /** one record for each of these, with commas between */
  | { kind: 'rows'; steps: readonly Step[] };

/** One usual form of a message, from the stream's name to the end of the message, or from the payload where that comes first. */
export interface Form {
  /** index into `Layouts.messages`, and of the layout that numbers its streams */
  index: number;
  numbered: number;
  layout: MessageLayout;
  steps: readonly Step[];
  /**
   * First four bytes of each stream's name, or with what follows it: what tells the kinds of messages apart. Where the payload
   * stands before the stream, its first four.
   */
  keys: readonly number[];
}

const STREAM = '<stream>';
const PAYLOAD = '<payload>';

/** All of the wrapper up to the payload, with the parts of a topic in their order. */
function wholeWrapper({ wrapper = '', topic }: Layouts): string {
  const { separator = '', symbolFirst = false } = topic;
  return wrapper.replace('<topic>', symbolFirst ? `<symbol>${separator}${STREAM}` : `${STREAM}${separator}<symbol>`);
}

const isPayloadFirst = (wrapper: string): boolean => wrapper.indexOf(PAYLOAD) < wrapper.indexOf(STREAM);

/** What stands before that in every usual form: bytes, or bytes, the symbol as topics have it, and bytes. */
export function leadOf(layouts: Layouts): { before: string; hasSymbol: boolean; after: string } {
  const wrapper = wholeWrapper(layouts);
  const [lead] = wrapper.split(isPayloadFirst(wrapper) ? PAYLOAD : STREAM);
  const [before, after = ''] = lead.split('<symbol>');
  return { before, hasSymbol: lead.includes('<symbol>'), after };
}

function keyOf(name: string, behind: string): number {
  return new DataView(new TextEncoder().encode(`${name}${behind}    `).buffer).getUint32(0, true);
}

/** Every usual form of every message, those that are likelier first. @throws {Error} a form that cannot be read */
export function formsOf(layouts: Layouts): Form[] {
  if (layouts.wrapper === undefined) return [];
  const wrapper = wholeWrapper(layouts);
  const [, behindStream] = wrapper.split(STREAM);
  if (behindStream === undefined) throw new Error('a wrapper names the stream');
  if (isPayloadFirst(wrapper)) return payloadFirst(layouts, wrapper);
  const later = layouts.topic.stream.slice(1).map((path) => `/${path}`);
  return layouts.messages.flatMap((layout, index) =>
    usualOf(layout).map(({ usual, row }) => {
      const text = behindStream.replace('<payload>', () => usual);
      const [close, ...rest] = stepsOf(text, { layout, row, later });
      if (close?.kind !== 'literal') throw new Error(`layout ${layout.name}: bytes close the stream's name`);
      const isApart = rest.some(({ kind }) => kind === 'streams');
      const names = isApart ? [beginningOf(layout)] : layout.streams;
      const lead: Step[] = isApart
        ? [{ kind: 'literal', text: `${names[0]}${close.text}` }]
        : [{ kind: 'streams', names, close: close.text.slice(0, 1) }, close];
      const steps = [...lead, ...rest];
      checkOrder(steps, layout);
      const keys = names.map((name) => keyOf(name, close.text));
      return { index, numbered: indexOfStream(layouts, index), layout, steps, keys };
    }),
  );
}

/** Where an integer that ends a stream's name has a place of its own: the name without it, and it. */
function splitName(stream: string, { name }: MessageLayout): [beginning: string, ending: string] {
  const at = stream.search(/(?:0|[1-9]\d*)$/);
  if (at < 0) throw new Error(`layout ${name}: no integer ends ${stream}`);
  return [stream.slice(0, at), stream.slice(at)];
}

function beginningOf(layout: MessageLayout): string {
  const [first, ...others] = new Set(layout.streams.map((stream) => splitName(stream, layout)[0]));
  if (others.length > 0) throw new Error(`layout ${layout.name}: its streams begin differently`);
  return first;
}

/** The same where the stream's name stands behind the payload, whose first bytes have to tell what is worth a try. */
function payloadFirst(layouts: Layouts, wrapper: string): Form[] {
  const [before, behind = ''] = wrapper.slice(wrapper.indexOf(PAYLOAD) + PAYLOAD.length).split(STREAM);
  return layouts.messages.flatMap((layout, index) =>
    usualOf(layout).map(({ usual, row }) => {
      const begins = usual.replace('<rows>', row).slice(0, 4);
      if (!/^[^<(]{4}$/.test(begins)) throw new Error(`layout ${layout.name}: a payload begins with four bytes`);
      const steps: Step[] = [
        ...stepsOf(`${usual}${before}`, { layout, row, later: [] }),
        { kind: 'streams', names: layout.streams, close: behind.slice(0, 1) },
        ...stepsOf(behind, { layout, row: '', later: [] }),
      ];
      checkOrder(steps, layout);
      return { index, numbered: indexOfStream(layouts, index), layout, steps, keys: [keyOf(begins, '')] };
    }),
  );
}

/** Every usual form with every usual row, where it has rows. */
function usualOf({ usual = [], usualRows = [] }: MessageLayout): { usual: string; row: string }[] {
  return usual.flatMap((one) => (one.includes('<rows>') ? usualRows : ['']).map((row) => ({ usual: one, row })));
}

/** What the holes of a form stand for. */
interface Meanings {
  layout: MessageLayout;
  row: string;
  /** holes for paths of the topic's stream behind the first */
  later: readonly string[];
}

/** Splits a form at its `<…>` holes and `(…)` optional parts. */
function stepsOf(text: string, meanings: Meanings): Step[] {
  const steps: Step[] = [];
  let at = 0;
  for (const match of text.matchAll(/<([^>]+)>|\(([^)]*)\)/g)) {
    if (match.index > at) steps.push({ kind: 'literal', text: text.slice(at, match.index) });
    at = match.index + match[0].length;
    steps.push(match[1] === undefined ? optionalOf(match[2], meanings) : holeOf(match[1], text.slice(at), meanings));
  }
  if (at < text.length) steps.push({ kind: 'literal', text: text.slice(at) });
  return steps;
}

function optionalOf(text: string, meanings: Meanings): Step {
  const [first, ...steps] = stepsOf(text, meanings);
  if (first?.kind !== 'literal')
    throw new Error(`layout ${meanings.layout.name}: an optional part begins with its key`);
  return { kind: 'optional', first: first.text, steps };
}

function holeOf(hole: string, behind: string, meanings: Meanings): Step {
  const { layout, row, later } = meanings;
  if (hole === '*') return { kind: 'anyText' };
  if (hole === '#') return { kind: 'anyInteger' };
  if (hole === '!') return { kind: 'anyFlag' };
  if (hole === 'symbol') return { kind: 'symbol' };
  if (hole === 'rows') return { kind: 'rows', steps: stepsOf(row, meanings) };
  if (later.includes(hole)) {
    const names = layout.streams.map((stream) => splitName(stream, layout)[1]);
    return { kind: 'streams', names, close: behind.slice(0, 1) };
  }
  const field = layout.fields.find(({ key }) => key === hole);
  if (field === undefined) throw new Error(`layout ${layout.name}: no field for <${hole}>`);
  return { kind: 'field', field };
}

/** Whether a form has its asks first: they are put behind the bids when both were read. */
export function hasAsksFirst({ steps }: Form): boolean {
  return fieldsOf(steps).find(({ form }) => form === 'levels')?.means === 'asks';
}

/** The fields that steps fill; they stand outside optional parts. */
export function fieldsOf(steps: readonly Step[]): FieldLayout[] {
  return steps.flatMap((step) =>
    step.kind === 'field' ? [step.field] : step.kind === 'rows' ? fieldsOf(step.steps) : [],
  );
}

/** The steps behind rows: what they fill is put into the records of all rows. */
export function behindRows(steps: readonly Step[]): readonly Step[] {
  const rows = steps.findIndex(({ kind }) => kind === 'rows');
  return rows < 0 ? [] : steps.slice(rows + 1);
}

function checkOrder(steps: readonly Step[], layout: MessageLayout): void {
  const behind = behindRows(steps);
  if (fieldsOf(behind).some(({ form, means }) => (form !== 'time' && form !== 'id') || means === 'count'))
    throw new Error(`layout ${layout.name}: behind rows there are times and ids alone`);
  if (behind.some((step) => step.kind === 'streams' && step.names.length > 1))
    throw new Error(`layout ${layout.name}: rows do not know which stream is named behind them`);
  for (const step of steps)
    if (step.kind === 'optional' && step.steps.some(({ kind }) => kind === 'field' || kind === 'streams'))
      throw new Error(`layout ${layout.name}: an optional part fills no field`);
}
