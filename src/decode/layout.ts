/** How a venue describes its messages: paths, number forms and meanings, and the byte forms they usually have. */

/**
 * How a value is written. `time` is ms, or µs where it has 16 digits; `price` and `size` are decimals in JSON strings, `fine` a
 * price that may be finer than the tick, `rate` a decimal that may be negative.
 */
export type ValueForm = 'time' | 'id' | 'price' | 'size' | 'fine' | 'rate' | 'levels' | 'flag' | 'text';

/** Keys from the outside to the inside with dots between: `arg.channel`; `0` is the only element of a list that has one. */
export type Path = string;

/** What a value means; each name fills one field of the event record. */
export type Meaning =
  | 'emitted'
  | 'matched'
  | 'first'
  | 'last'
  /** one id that is both first and last */
  | 'id'
  | 'previous'
  /** of a trade: a number that the prints of one taker order share */
  | 'order'
  | 'price'
  | 'size'
  /** the part of a print that is order flow, behind `size` of which it takes the place; a print without such a part is none of it */
  | 'flowSize'
  | 'bid'
  | 'bidSize'
  | 'ask'
  | 'askSize'
  | 'bids'
  | 'asks'
  | 'buyerIsMaker'
  /** one of `aggressors`, as text or number */
  | 'aggressor'
  /** trades merged into this one, whose ids end with its own */
  | 'count'
  /** true for a public print that is not order flow */
  | 'offBook'
  /** kind of print: order flow, or a public print that is not; of a liquidation, whether the order is filled */
  | 'print'
  | 'mark'
  | 'index'
  | 'funding'
  | 'nextFunding'
  | 'openInterest'
  /** must equal the symbol of the src */
  | 'symbol';

export interface FieldLayout {
  /** key inside the payload, e.g. `E` of `data.E`; with a `/` before it, path from the message's root */
  key: string;
  form: ValueForm;
  means: Meaning;
  /** a missing value is no fault; null is missing too */
  optional?: boolean;
  /** of levels: integers, in quotes as price and size are, may follow them, which nobody reads */
  wide?: boolean;
  /** a number may stand in quotes where others have none, and the other way round */
  loose?: boolean;
  /** of decimals, levels and aggressors: usual forms have them without quotes; `loose` too, so that others may have some */
  bare?: true;
  /** of a time or id: 0 is missing too; it is not usual */
  positive?: true;
  /** an empty text is missing too; it is not usual */
  blank?: true;
}

/**
 * One kind of message. The general decoder goes by `streams`, `type` and `fields`; the fast path is generated from
 * `usual`, and what it does not match to the byte goes to the general decoder, with the same result.
 */
export interface MessageLayout {
  /** the channel's name */
  name: string;
  event: 'trade' | 'depth' | 'snapshot' | 'touch' | 'partial' | 'liquidation' | 'derivative' | 'other';
  /** stream names of the topic, any of; their order numbers the variants */
  streams: string[];
  /** value at the type's path; null where the message carries none, undefined where it does not matter */
  type?: string | null;
  /** path of a list each element of which is a payload of its own; one that is no list is the only payload */
  rows?: Path;
  /**
   * Rows of trades do not stand as they were matched, and are put into that order: `none` is by time alone, and `newestFirst` turns a
   * list that falls around before. Missing where they stand in the taker's order.
   */
  rowOrder?: 'none' | 'newestFirst';
  /** of a snapshot: the name of the layout, with the same streams, whose updates go on from it */
  of?: string;
  /** how a buying and a selling aggressor are written */
  aggressors?: { buy: string; sell: string };
  fields: FieldLayout[];
  /** values of the `print` field that are order flow, or a liquidation that is filled; any other is tagged off-book */
  flowPrints?: string[];
  /**
   * Usual byte forms of the payload, tried in order. `<key>` stands for the field of that key, `<symbol>` for the
   * symbol; `<*>` for the inside of a plain ASCII string, `<#>` for a plain integer and `<!>` for a boolean that nobody
   * reads; `</path>`, of a path of the topic's stream behind the first, for an integer that ends the stream's name; `(…)` for a
   * part, beginning with its key, that may be missing and fills no field; `<rows>` for one or more of one of `usualRows` with
   * commas between.
   */
  usual?: string[];
  /** the usual byte forms of one of `rows` */
  usualRows?: string[];
}

/** Where a message names its stream and symbol. */
export interface TopicLayout {
  /** paths of the texts or integers that make the stream's name, one behind the other; the first is never missing */
  stream: Path[];
  /** path of the symbol; null where the stream's text holds it too */
  symbol: Path | null;
  /** where the symbol stands in messages that have none there */
  symbolElse?: Path;
  /** where one text holds both: what stands between them, and which comes first */
  separator?: string;
  symbolFirst?: boolean;
  /** the symbol is written in lower case there */
  lowerCase?: boolean;
}

/** All that is needed to decode a venue's messages. */
export interface Layouts {
  /** a word of its own: the scanner compiled at build time is found by it */
  id: string;
  topic: TopicLayout;
  /** path of the payload; empty where the message itself is the payload */
  payload: Path;
  /** key of the type in the payload; with a `/` before it, path from the root */
  type: string;
  /**
   * What all usual forms have in common, with `<payload>` for the rest, and `<topic>`, or `<stream>` and `<symbol>` apart; missing where no
   * layout has usual forms. Behind the payload may stand fields, as `</ts>`, and the stream.
   */
  wrapper?: string;
  messages: MessageLayout[];
  /**
   * Its books of REST are one list of `bids` and one of `asks`, of [price, size, …] as texts, which `readSnapshot` takes as they stand:
   * so a scanner may read them apart from the rest of the answer.
   */
  restPairs?: boolean;
  /** a message with one of these keys at its root, and without topic or payload, is control talk (acks, errors), not data */
  control: string[];
}

/** Layout and stream variant of a record, as the upper bits of its FLAGS. */
export const MAX_STREAMS = 16;

/** The layout by which the stream of a message is numbered: a snapshot belongs to the stream of its updates. */
export function indexOfStream({ messages }: Layouts, index: number): number {
  const { of } = messages[index];
  return of === undefined ? index : messages.findIndex(({ name, event }) => name === of && event === 'depth');
}
