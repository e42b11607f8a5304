/** The usual byte forms of a venue's messages, taken apart into steps: what both scanners are generated from. */
import type { FieldLayout, Layouts, MessageLayout } from './layout.js';

/** One thing to do at the current byte. */
export type Step =
  /** these bytes and no others */
  | { kind: 'literal'; text: string }
  /** one of the layout's stream names, closed by its quote; which one is the variant */
  | { kind: 'streams'; names: readonly string[] }
  /** a value that fills the record */
  | { kind: 'field'; field: FieldLayout }
  /** the symbol of the src */
  | { kind: 'symbol' }
  /** the inside of a plain ASCII string, a plain integer, a boolean: nobody reads them */
  | { kind: 'anyText' | 'anyInteger' | 'anyFlag' }
  /** taken when the literal it begins with stands here, else passed over */
  | { kind: 'optional'; first: string; steps: readonly Step[] };

/** One usual form of a message, from the stream's name to the end of the message. */
export interface Form {
  /** index into `Layouts.messages` */
  index: number;
  layout: MessageLayout;
  steps: readonly Step[];
}

/** What stands before the stream's name: bytes, the symbol in lower case, bytes. */
export function leadOf({ wrapper = '', topic }: Layouts): { before: string; after: string } {
  return { before: wrapper.slice(0, wrapper.indexOf('<topic>')), after: topic.separator ?? '' };
}

/** The first four bytes of a stream's name with its closing quote: what tells the kinds of messages apart. */
export function streamKey(stream: string): number {
  return new DataView(new TextEncoder().encode(`${stream}","`).buffer).getUint32(0, true);
}

/** Every usual form of every message, those that are likelier first. @throws {Error} a form that cannot be read */
export function formsOf(layouts: Layouts): Form[] {
  const { wrapper, topic } = layouts;
  if (wrapper === undefined) return [];
  if (topic.symbolFirst !== true || topic.lowerCase !== true)
    throw new Error('usual forms begin with the symbol in lower case');
  const behindTopic = wrapper.slice(wrapper.indexOf('<topic>') + '<topic>'.length);
  if (!behindTopic.startsWith('"')) throw new Error('a topic is closed by its quote');
  return layouts.messages.flatMap((layout, index) =>
    (layout.usual ?? []).map((usual) => {
      const text = behindTopic.slice(1).replace('<payload>', () => usual);
      const steps: Step[] = [{ kind: 'streams', names: layout.streams }, ...stepsOf(text, layout)];
      checkOrder(steps, layout);
      return { index, layout, steps };
    }),
  );
}

/** Splits a form at its `<…>` holes and `(…)` optional parts. */
function stepsOf(text: string, layout: MessageLayout): Step[] {
  const steps: Step[] = [];
  let at = 0;
  for (const match of text.matchAll(/<([^>]+)>|\(([^)]*)\)/g)) {
    if (match.index > at) steps.push({ kind: 'literal', text: text.slice(at, match.index) });
    steps.push(match[1] === undefined ? optionalOf(match[2], layout) : holeOf(match[1], layout));
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

function holeOf(hole: string, layout: MessageLayout): Step {
  if (hole === '*') return { kind: 'anyText' };
  if (hole === '#') return { kind: 'anyInteger' };
  if (hole === '!') return { kind: 'anyFlag' };
  if (hole === 'symbol') return { kind: 'symbol' };
  const field = layout.fields.find(({ key }) => key === hole);
  if (field === undefined) throw new Error(`layout ${layout.name}: no field for <${hole}>`);
  return { kind: 'field', field };
}

/** The fields a form fills; they stand outside its optional parts. */
export function fieldsOf({ steps }: Form): FieldLayout[] {
  return steps.flatMap((step) => (step.kind === 'field' ? [step.field] : []));
}

function checkOrder(steps: readonly Step[], layout: MessageLayout): void {
  const levels = steps.flatMap((step) => (step.kind === 'field' && step.field.form === 'levels' ? [step.field] : []));
  if (levels[0]?.means === 'asks') throw new Error(`layout ${layout.name}: bids are written before asks`);
  for (const step of steps)
    if (step.kind === 'optional' && step.steps.some(({ kind }) => kind === 'field'))
      throw new Error(`layout ${layout.name}: an optional part fills no field`);
}
