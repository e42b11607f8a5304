/** What the fields of a signal line mean, evidence of one detector aside: for the manual, the schema and `--where`. */
import {
  type Confirm,
  END_REASONS,
  type Phase,
  type Plan,
  type Quality,
  SIZE_CAPS,
  type Side,
  type Signal,
} from '../model/signal.js';
import type { EvidenceField } from './detector.js';

/** One field in words; a group holds further fields. `"name"` in a text is a name, bold in the manual. */
export type Field = EvidenceField | FieldGroup;

export interface FieldGroup extends Pick<EvidenceField, 'optional' | 'doc'> {
  type: 'group';
  fields: Readonly<Record<string, Field>>;
  /** has no fields but these; an open group may hold more */
  closed: boolean;
}

const phases = ['onset', 'update', 'end', 'point'] as const satisfies readonly Phase[];
const sides = ['buy', 'sell'] as const satisfies readonly Side[];
const qualities = ['verified', 'unverifiable', 'suspect'] as const satisfies readonly Quality[];

/** Why an event ends whatever the detector; its own reasons are in its `meaning`. */
export const COMMON_ENDS = {
  gap: 'data was lost; windows and baselines start anew, so the detector is silent until they are warm',
  hour: 'the unit ended; what goes on is a new event',
  eof: 'the input ended',
} as const;

/** Evidence of every signal: the entries it comes from. */
export const RECORD: Readonly<Record<'recorder' | 'first' | 'last', EvidenceField>> = {
  recorder: { type: 'text', doc: 'the recorder run' },
  first: {
    type: 'time',
    doc: '"t" of the oldest entry the event rests on; with "recorder" it names that entry for ever',
  },
  last: { type: 'time', doc: '"t" of the newest one' },
};

const CONFIRM: Readonly<Record<keyof Confirm, EvidenceField>> = {
  size: {
    type: 'flag',
    nullable: true,
    doc: 'it is large for the book: "size_ratio" is at least 0.25, or "depth_fell" at least 0.3 and trades explain half of that',
  },
  size_ratio: {
    type: 'ratio',
    nullable: true,
    doc: 'what that side traded in the last eight quarter seconds, the running one included, over the opposite depth within 10 bps at the last whole second before the event, or before these two seconds',
  },
  depth_fell: { type: 'ratio', nullable: true, doc: 'the share by which that depth fell' },
  duration: {
    type: 'flag',
    doc: 'it lasted: in the last two seconds three aggressor groups or more, half of the quarter seconds on that side, and an imbalance of 0.6',
  },
  same_side_share: {
    type: 'ratio',
    doc: 'share of the quarter seconds in which that side was the heavier one',
  },
  reaction: {
    type: 'flag',
    nullable: true,
    doc: 'within a second the mid went with the aggressor as far as "reaction_asked_ticks", of sweeps and blocks from where it stood before the order; null until that is known',
  },
  reaction_ticks: { type: 'ticks', nullable: true, doc: 'how far it went; null until that is known' },
  reaction_asked_ticks: {
    type: 'ticks',
    nullable: true,
    doc: 'how far it had to go: a quarter of the way such a volume usually moves it (by the slope of the mid over signed volume, minutes before), and at least a tick; null where the mid is not known',
  },
  stall: {
    type: 'flag',
    nullable: true,
    doc: 'size and duration pass and the price stays: somebody takes the other side',
  },
};

const PLAN: Readonly<Record<keyof Plan, EvidenceField>> = {
  entry: {
    type: 'price',
    doc: 'what one could have got when the signal was said: the opposite touch, or where the setup waits in line (skew-fade) the own one',
  },
  stop: { type: 'price', doc: 'where the setup has failed' },
  stop_level: { type: 'price', nullable: true, doc: 'the stop behind the level' },
  stop_origin: { type: 'price', nullable: true, doc: 'the stop behind where the aggression began' },
  target: { type: 'price', nullable: true, doc: 'where it would have arrived' },
  risk_bps: { type: 'bps', doc: 'from entry to stop' },
  reward_bps: { type: 'bps', nullable: true, doc: 'from entry to target' },
  rr: { type: 'ratio', nullable: true, doc: 'reward over risk, before costs' },
  rr_net: { type: 'ratio', nullable: true, doc: 'and with them' },
  breakeven_bps: { type: 'bps', doc: 'what the price must move to pay the costs' },
  size: {
    type: 'size',
    nullable: true,
    doc: 'that loses the accepted share at the stop, costs included; null without --equity',
  },
  cap: {
    type: 'text',
    nullable: true,
    choices: SIZE_CAPS,
    doc: 'what made the size smaller than the risk would have it: --leverage, or --touch-share of the touch; null where nothing did',
  },
  touch_size: {
    type: 'size',
    nullable: true,
    doc: 'displayed at the entry when the signal was said; null where it is not known, and caps nothing then',
  },
  warning: { type: 'text', nullable: true, doc: 'why the plan is worse than it looks' },
};

const level = (doc: string): EvidenceField => ({
  type: 'text',
  optional: true,
  choices: ['low', 'normal', 'high'],
  doc,
});
const said = (type: EvidenceField['type'], doc: string): EvidenceField => ({ type, optional: true, doc });
const told = (choices: readonly string[], doc: string): EvidenceField => ({
  type: 'text',
  optional: true,
  choices,
  doc,
});

const CONTEXT: Readonly<Record<string, Field>> = {
  regime: {
    type: 'group',
    optional: true,
    closed: false,
    doc: 'the last minute against what is usual; an axis is known once there were sixty samples of it',
    fields: {
      activity: level('traded volume'),
      volatility: level('how much the mid moves'),
      liquidity: level('depth near the mid'),
      direction: told(
        ['up', 'down', 'ranging', 'mixed'],
        'whether the price goes anywhere: how far the mid came over the length of a bar of the higher timeframe, over the way it took in ten steps; at least 0.4 is up or down, at most 0.2 ranging; known once so much was seen, and as of the last step',
      ),
    },
  },
  spread_bps: said('bps', 'the spread'),
  weighted_mid: said(
    'ratio',
    'how far the mid, weighted by the sizes at the touch, lies from the mid, in spreads: towards the ask where more is bid, -0.5 to 0.5',
  ),
  microprice: said(
    'ratio',
    'with --fit: how far the microprice lies from the mid, in spreads; where the mid is expected to go, by what an earlier tape taught',
  ),
  trend: told(
    ['up', 'down', 'flat'],
    'of the last closed bar of the higher timeframe; flat where mid and delta of it do not go the same way',
  ),
  alignment: told(['with', 'against', 'neutral'], 'the side of the signal and that trend'),
  risk: told(['elevated'], 'there where the side is against the trend'),
  htf: {
    type: 'group',
    optional: true,
    closed: false,
    doc: 'the higher timeframe in figures',
    fields: {
      bar_ms: said('ms', 'its bar'),
      move_bps: said('bps', 'how far the last closed bar moved'),
      delta: said('size', 'bought less sold in it'),
      developing_move_bps: said('bps', 'the same of the bar that is not closed, up to now'),
      developing_delta: said('size', 'the same of the bar that is not closed'),
    },
  },
  session: told(
    ['asia', 'europe', 'us', 'late'],
    'the part of the day: asia from 0, europe from 7, us from 13, late from 21 UTC',
  ),
  weekend: said('flag', 'there on Saturdays and Sundays, UTC'),
  zones: {
    type: 'group',
    optional: true,
    closed: false,
    doc: 'how far the mid is from prices that may matter; what is not known is left out, and so is what is not there',
    fields: {
      wall_above_bps: said(
        'bps',
        'up to the nearest wall above: a cell of about a bps that has held for a minute far more than those around it, three times their median now, and is among the heaviest twentieth; of those within about 25 bps',
      ),
      wall_below_bps: said('bps', 'the same below'),
      prior_high_bps: said(
        'bps',
        'up to the highest price printed in the session before, below zero where the mid is above it; there where the unit, or the look-back before it, holds all of that session, as with --unit 24h from 07:00 UTC on, and no trades of it are missing',
      ),
      prior_low_bps: said('bps', 'down to its lowest price, below zero where the mid is below that'),
      poc_above_bps: said(
        'bps',
        "up to the nearest naked point of control above: the bin of most volume of a closed bar of the higher timeframe, at least half a bps wide, in which nothing was printed since, nor on its other side; of the unit's bars and those of the look-back before it, since trades were last missing; 0 inside",
      ),
      poc_below_bps: said('bps', 'the same below'),
      stack_above_bps: said(
        'bps',
        'up to the nearest stack of sells in such bars, three bins in a row imbalanced three to one, cells below the quantile 0.7 of their bar aside; until something is printed above it; 0 inside or behind it',
      ),
      stack_below_bps: said('bps', 'down to the nearest stack of buys, until something is printed below it'),
    },
  },
  mark: said('price', 'the mark price'),
  index: said('price', 'the index price it follows'),
  funding: said(
    'ratio',
    'running estimate of the next funding rate, as a fraction per interval; positive when longs pay',
  ),
  next_funding: said('text', 'when funding is settled next'),
  open_interest: said('size', 'open interest, in units of size'),
  liquidated_buy: said('size', 'liquidations pushed in the last minute that were bought: short positions'),
  liquidated_sell: said('size', 'and sold: long positions; both are there where one was pushed in that minute'),
};

/** The fields of a line, in their order. */
export const SIGNAL_FIELDS: Readonly<Record<keyof Signal, Field>> = {
  time: {
    type: 'text',
    doc: `the receive time of the entry that made the signal true, in UTC with six decimals. Two phases have no such entry: an end with
reason "hour" stands one microsecond before its boundary, and an end with reason "eof" one microsecond after the last entry`,
  },
  venue: { type: 'text', doc: 'where it happened' },
  symbol: { type: 'text', doc: 'on which market of the venue' },
  signal: { type: 'text', doc: 'the detector' },
  phase: {
    type: 'text',
    choices: phases,
    doc: `"onset" (once), "update" (at most once a second, when the score rose a tenth above the highest one printed, and when more is known of
"confirm"), "end" (once for every onset), or "point": something that has no duration, and no end; of some an update tells a second later
what the price did`,
  },
  side: {
    type: 'text',
    choices: sides,
    doc: '"buy" or "sell"; which of the two a detector means stands with it, below',
  },
  id: {
    type: 'text',
    doc: `names the event; its lines share it. It is made from the detector, its parameters, venue, symbol, side, the time of the onset and, where several events
of one side may run at a time, what tells them apart, so it is the same in every scan with the same parameters, live or from a tape`,
  },
  reason: { type: 'text', optional: true, choices: END_REASONS, doc: 'ends only' },
  price: { type: 'price', nullable: true, doc: 'the price the signal speaks of; null where it is unknown' },
  score: {
    type: 'ratio',
    doc: "how strong it is, by the detector's own measure; scores of different detectors cannot be compared",
  },
  evidence: {
    type: 'group',
    closed: false,
    fields: RECORD,
    doc: `the numbers the rule used, by detector, and which entries they come from. Prices and sizes are exact decimals; ratios are
rounded to six decimals. An update that tells a confirmation, and an end with reason "hour" or "eof", carry the numbers of the line before, those of
setups apart; where the rule has an update at the same time, one line tells both`,
  },
  confirm: {
    type: 'group',
    optional: true,
    closed: true,
    fields: CONFIRM,
    doc: 'of aggressions only, three tests: was it large for the book, did it last, and did the price go with it; the last is known a second later, and told by an update',
  },
  context: {
    type: 'group',
    closed: false,
    fields: CONTEXT,
    doc: 'where the market stood; what is not known is left out, and zero is a value',
  },
  plan: {
    type: 'group',
    optional: true,
    closed: true,
    fields: PLAN,
    doc: 'setups only: what one could have planned. Information; tapedeck places no order',
  },
  quality: {
    type: 'text',
    choices: qualities,
    doc: `"verified" when the venue's data shows every lost message that matters here, and none was lost in what the signal rests on;
"unverifiable" when it could not show a loss; "suspect" for an end with reason "gap"`,
  },
};
