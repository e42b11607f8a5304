/** The usual byte forms of a venue's messages, taken apart into steps: what both scanners are generated from. */
import { type FieldLayout, indexOfStream, type Layouts, type MessageLayout } from './layout.js';

/** One thing to do at the current byte. */
export type Step =
  /** these bytes and no others */
  | { kind: 'literal'; text: string }
  /** one of the layout's stream names, behind which `close` stands; which one is the variant */
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

/** One usual form of a message, from the stream's name to the end of the message. */
export interface Form {
  /** index into `Layouts.messages`, and of the layout that numbers its streams */
  index: number;
  numbered: number;
  layout: MessageLayout;
  steps: readonly Step[];
  /** first four bytes of each stream's name, or with what follows it: what tells the kinds of messages apart */
  keys: readonly number[];
}

const STREAM = '<stream>';

/** All of the wrapper up to the payload, with the parts of a topic in their order. */
function wholeWrapper({ wrapper = '', topic }: Layouts): string {
  const { separator = '', symbolFirst = false } = topic;
  return wrapper.replace('<topic>', symbolFirst ? `<symbol>${separator}${STREAM}` : `${STREAM}${separator}<symbol>`);
}

/** What stands before the stream's name in every usual form: bytes, or bytes, the symbol as topics have it, and bytes. */
export function leadOf(layouts: Layouts): { before: string; hasSymbol: boolean; after: string } {
  const [lead] = wholeWrapper(layouts).split(STREAM);
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
  return layouts.messages.flatMap((layout, index) =>
    usualOf(layout).map(({ usual, row }) => {
      const rest = stepsOf(
        behindStream.replace('<payload>', () => usual),
        layout,
        row,
      );
      const [close] = rest;
      if (close?.kind !== 'literal') throw new Error(`layout ${layout.name}: bytes close the stream's name`);
      const names = layout.streams;
      const steps: Step[] = [{ kind: 'streams', names, close: close.text.slice(0, 1) }, ...rest];
      checkOrder(steps, layout);
      const keys = names.map((name) => keyOf(name, close.text));
      return { index, numbered: indexOfStream(layouts, index), layout, steps, keys };
    }),
  );
}

/** Every usual form with every usual row, where it has rows. */
function usualOf({ usual = [], usualRows = [] }: MessageLayout): { usual: string; row: string }[] {
  return usual.flatMap((one) => (one.includes('<rows>') ? usualRows : ['']).map((row) => ({ usual: one, row })));
}

/** Splits a form at its `<…>` holes and `(…)` optional parts. */
function stepsOf(text: string, layout: MessageLayout, row = ''): Step[] {
  const steps: Step[] = [];
  let at = 0;
  for (const match of text.matchAll(/<([^>]+)>|\(([^)]*)\)/g)) {
    if (match.index > at) steps.push({ kind: 'literal', text: text.slice(at, match.index) });
    steps.push(match[1] === undefined ? optionalOf(match[2], layout) : holeOf(match[1], layout, row));
    at = match.index + match[0].length;
  }
  if (at < text.length) steps.push({ kind: 'literal', text: text.slice(at) });
  return steps;
}

function optionalOf(text: string, layout: MessageLayout): Step {
  const [first, ...steps] = stepsOf(text, layout);
  if (first?.kind !== 'literal') throw new Error(`layout ${layout.name}: an optional part begins with its key`);
  return { kind: 'optional', first: first.text, steps };
}

function holeOf(hole: string, layout: MessageLayout, row: string): Step {
  if (hole === '*') return { kind: 'anyText' };
  if (hole === '#') return { kind: 'anyInteger' };
  if (hole === '!') return { kind: 'anyFlag' };
  if (hole === 'symbol') return { kind: 'symbol' };
  if (hole === 'rows') return { kind: 'rows', steps: stepsOf(row, layout) };
  const field = layout.fields.find(({ key }) => key === hole);
  if (field === undefined) throw new Error(`layout ${layout.name}: no field for <${hole}>`);
  if (field.positive === true) throw new Error(`layout ${layout.name}: <${hole}> may be missing`);
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

function checkOrder(steps: readonly Step[], layout: MessageLayout): void {
  for (const step of steps)
    if (step.kind === 'optional' && step.steps.some(({ kind }) => kind === 'field'))
      throw new Error(`layout ${layout.name}: an optional part fills no field`);
}
