/** How a venue describes its messages: paths, number forms and meanings, and the byte forms they usually have. */

/** How a value is written. `time` is ms, or µs where it has 16 digits; `price` and `size` are decimals in JSON strings. */
export type ValueForm = 'time' | 'id' | 'price' | 'size' | 'levels' | 'flag' | 'text';

/** What a value means; each name fills one field of the event record. */
export type Meaning =
  | 'emitted'
  | 'matched'
  | 'first'
  | 'last'
  /** one id that is both first and last */
  | 'id'
  | 'previous'
  | 'price'
  | 'size'
  | 'bid'
  | 'bidSize'
  | 'ask'
  | 'askSize'
  | 'bids'
  | 'asks'
  | 'buyerIsMaker'
  /** kind of print: order flow, or a public print that is not */
  | 'print'
  /** must equal the symbol of the src */
  | 'symbol';

export interface FieldLayout {
  /** key inside the message's payload, e.g. `E` of `data.E` */
  key: string;
  form: ValueForm;
  means: Meaning;
  /** a missing value is no fault */
  optional?: boolean;
}

/**
 * One kind of message. The general decoder goes by `streams`, `type` and `fields`; the fast path is generated from
 * `usual`, and what it does not match to the byte goes to the general decoder, with the same result.
 */
export interface MessageLayout {
  /** the channel's name */
  name: string;
  event: 'trade' | 'depth' | 'touch' | 'partial' | 'other';
  /** stream names of the topic, any of; their order numbers the variants */
  streams: string[];
  /** value of the payload's type key; null where the message carries none */
  type: string | null;
  fields: FieldLayout[];
  /** values of the `print` field that are order flow; any other is tagged off-book */
  flowPrints?: string[];
  /**
   * Usual byte forms of the payload, tried in order. `<key>` stands for the field of that key, `<symbol>` for the
   * symbol; `<*>` for the inside of a plain ASCII string, `<#>` for a plain integer and `<!>` for a boolean that nobody
   * reads; `(…)` for a part, beginning with its key, that may be missing and fills no field.
   */
  usual: string[];
}

/** All that is needed to decode a venue's messages. */
export interface Layouts {
  /** a word of its own: the scanner compiled at build time is found by it */
  id: string;
  /** the wrapper around a payload, with `<topic>` and `<payload>` */
  wrapper: string;
  /** keys of topic and payload in the wrapper, and of the type in the payload */
  topicKey: string;
  payloadKey: string;
  typeKey: string;
  /** the topic of a stream: the symbol in lower case, this, and the stream's name */
  separator: string;
  messages: MessageLayout[];
  /** a message with one of these keys at its root and no topic is control talk (acks, errors), not data */
  control: string[];
}

/** Layout and stream variant of a record, as the upper bits of its FLAGS. */
export const MAX_STREAMS = 16;
