/** Renders tapedeck-signals(5): prose by hand around what fields, detectors and presets say of themselves; no I/O. */
import { bold, head, literal, type ManualOf, seeAlso, sentence } from './man.js';
import { fieldWords, oneLine, paragraphs, parameterWords, phaseWords } from './signals/describe.js';
import type { Detector } from './signals/detector.js';
import { COMMON_ENDS, type Field, type FieldGroup, SIGNAL_FIELDS } from './signals/fields.js';
import { type PresetName, presets } from './signals/presets.js';

/** Names stand in quotes in texts, and bold on the page. */
function prose(text: string): string {
  return literal(oneLine(text)).replaceAll(/"([^"]+)"/g, '\\fB$1\\fR');
}

const entry = (name: string, text: string): string[] => ['.TP', bold(name), prose(sentence(text))];

function fieldEntry(name: string, field: Field): string[] {
  if (field.type === 'group') return entry(name, field.doc);
  const words = fieldWords(field);
  return entry(name, words === '' ? field.doc : `${field.doc} (${words})`);
}

const fieldEntries = (fields: Readonly<Record<string, Field>>): string[] =>
  Object.entries(fields).flatMap(([name, field]) => [
    ...fieldEntry(name, field),
    ...(field.type === 'group' && Object.keys(field.fields).length > 0
      ? ['.RS', ...fieldEntries(field.fields), '.RE']
      : []),
  ]);

/** Fields of a line: what groups hold stands in sections of their own. */
function topFields(): string[] {
  return Object.entries(SIGNAL_FIELDS).flatMap(([name, field]) => {
    // phases and the like are told in the words of the field
    const plain: Field = field.type === 'group' ? { ...field, fields: {} } : { type: 'text', doc: field.doc };
    const reasons = Object.entries(COMMON_ENDS).flatMap(([reason, text]) => entry(reason, text));
    return [...fieldEntry(name, plain), ...(name === 'reason' ? ['.RS', ...reasons, '.RE'] : [])];
  });
}

function detectorSection(detector: Detector): string[] {
  const { name, summary, doc, needs, parameters, meaning, confirms } = detector;
  const { side, price, score, evidence, ends = {} } = meaning;
  const reasons = Object.entries<string>(ends).flatMap(([reason, text]) => entry(reason, text));
  return [
    `.SS ${literal(name)}`,
    prose(sentence(summary)),
    ...paragraphs(doc).flatMap((text) => ['.PP', prose(text)]),
    '.PP',
    prose(
      `Needs ${needs.join(' and ')}. Phases: ${phaseWords(detector)}.${confirms === true ? ' Carries "confirm".' : ''}`,
    ),
    ...entry('side', side),
    ...entry('price', price),
    ...entry('score', score),
    ...(reasons.length > 0 ? ['.TP', bold('reason'), 'Beside those of all detectors:', '.RS', ...reasons, '.RE'] : []),
    '.TP',
    bold('evidence'),
    '.RS',
    ...fieldEntries(evidence),
    '.RE',
    '.TP',
    bold('parameters'),
    '.RS',
    ...Object.entries(parameters).flatMap(([key, parameter]) => [
      '.TP',
      `${bold(key)} (${literal(String(parameter.default))})`,
      prose(sentence(`${parameter.doc} (${parameterWords(detector, key)})`)),
    ]),
    '.RE',
  ];
}

function presetEntries(): string[] {
  return (Object.keys(presets) as PresetName[]).flatMap((name) => entry(name, presets[name].doc));
}

const group = (name: 'confirm' | 'context' | 'plan'): string[] =>
  fieldEntries((SIGNAL_FIELDS[name] as FieldGroup).fields);

/** The page of what scan prints. */
export function signalsManual(manual: ManualOf, detectors: readonly Detector[]): string {
  return `${[
    head('tapedeck-signals', manual, 5),
    String.raw`.SH NAME
tapedeck\-signals \- what tapedeck scan prints, field by field
.SH DESCRIPTION
.B tapedeck scan \-\-format json
prints one signal to a line, as a JSON object whose keys always stand in the order of this page.
The text format shows the same facts in columns, with what differs from signal to signal as
.IR name = value .
.B tapedeck scan \-\-schema
prints a JSON Schema of the lines.
.PP
A signal says what happened, and how well the data proves it.
It promises nothing about what comes next.
.PP
.nf
{"time":"2023\-04\-05T00:05:27.506380Z","venue":"binance\-usdm",
 "symbol":"BTCUSDT","signal":"absorption","phase":"onset",
 "side":"buy","id":"4bfe67d633bf9382","price":28139.2,
 "score":0.743602,"evidence":{"kind":"composite",...,
 "recorder":"27czd5","first":1680653117684080,
 "last":1680653127506380},
 "context":{...,"spread_bps":0.035537,...,"session":"asia",...},
 "quality":"verified"}
.fi
.SH FIELDS`,
    ...topFields(),
    '.SH EVIDENCE OF EVERY SIGNAL',
    ...fieldEntries((SIGNAL_FIELDS.evidence as FieldGroup).fields),
    String.raw`.PP
A recorder and a
.I t
name an entry of a tape for ever; see
.BR tapedeck\-tape (5).
.SH DETECTORS
.B tapedeck scan \-\-list
prints the same;
.B \-\-set
changes a parameter.
In brackets behind a parameter stands its default, and behind its words what presets make of it.`,
    ...detectors.flatMap(detectorSection),
    '.SH PRESETS',
    'Parameters to start from, with \\fB\\-\\-preset\\fR. What a preset does not name keeps its default.',
    ...presetEntries(),
    '.SH CONFIRM',
    prose(sentence(SIGNAL_FIELDS.confirm.doc)),
    ...group('confirm'),
    `.SH CONTEXT
What was known at the time of the line. A value that is not known is left out; zero is a value. No rule uses it that does not say so.`,
    ...group('context'),
    `.PP
Some venues push a sample of liquidations only
.RB ( "tapedeck venues" ,
liquidations).
They are never part of the flow, which has their fills as trades.
.PP
What a venue says stands until it is said anew, at most as long as the look-back: what was said before that is not known, so that hours
scanned one by one say the same as the whole.
Where a venue pushes only what changed, as Bybit does, a rate that did not change for ten minutes is left out.
Behind a gap of everything, or of one of these channels, nothing is known until it is said again.
.SH PLAN`,
    prose(sentence(SIGNAL_FIELDS.plan.doc)),
    ...group('plan'),
    String.raw`.SH ONSETS AND ENDS
Rules are looked at when trades come, when the book changes, and at the first entry of each tenth of a second, as the detector needs.
What must be so for a time must be so each time that it is looked at.
After an end no event of the same detector, kind and side begins for twice the time that it must hold, and for a second at least, unless its score is
half as high again as the highest of the one before. A new unit does not wait, and zones of
.B footprint
and levels of
.B iceberg
never do.
.SH WHAT IS USUAL
Quantiles are exact, over samples taken every whole second of data time in the last whole UTC minutes
.RB ( \-\-baseline ,
5 by default) and the running one.
A sample counts only after the window it was taken over has passed, so no event is measured against itself.
It belongs to the minute in which it begins to count; a window of trades that began before the data did, or before trades were last missing, is no sample.
Sizes of taker orders join one to two seconds after they are complete, cells of a footprint a second after their bar (64 of a bar at most, evenly
picked from all), and sizes of displayed levels, and of the buckets of
.BR void ,
are taken every five seconds.
The median of an even number of sizes is the smaller of the two in the middle.
No quantile is used before
.B \-\-warmup
(1m) of data without a gap, and 60 samples or 100 aggressor groups; of buckets 12 samples.
For a thin symbol, where most windows hold no trade at all, a longer baseline such as 60m is right.
.SH UNITS
Events start afresh at every whole hour UTC
.RB ( \-\-unit ,
a divisor of the day).
An event that is open then ends with reason
.BR hour ;
the line is printed with the first later entry of that symbol.
Nothing a signal says depends on data older than the look-back (ten minutes by default), so hours can be scanned one by one, in any order or at
the same time: together they print what one scan of the whole prints.
.SH ORDER
From files, lines come in byte order, which is order of time;
.B LC_ALL=C sort \-m
merges the output of several scans.
From a pipe, each symbol's lines come in that order, and symbols as their messages arrive.`,
    ...seeAlso(['tapedeck-scan(1)', 'tapedeck-tape(5)']),
  ].join('\n')}\n`;
}
