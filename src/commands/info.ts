/** `tapedeck info`: what tapes hold. */
import { type Beside, createBesideReader, type Said } from '../audit/beside.js';
import { inspectTapes, type SourceInfo } from '../audit/info.js';
import { createProfiler, type Profile } from '../audit/profile.js';
import { SHARED_SYMBOL, type TapeHeader } from '../model/entry.js';
import { type Instrument, inferredOf } from '../model/instrument.js';
import { formatTime } from '../model/time.js';
import { createDataWriter } from '../output/stdio.js';
import { displayWidth, escapeControl, formatBytes, formatCount, table, wrap } from '../output/text.js';
import { venues } from '../venues/registry.js';
import type { Capabilities } from '../venues/venue.js';
import { defineCommand, formatOption, noteTo, tapesPositional } from './command.js';

/** `8m34s`, `2h05m`, `3d04h`. */
function describeDuration(micros: number): string {
  const seconds = Math.round(micros / 1e6);
  const two = (value: number): string => String(value).padStart(2, '0');
  const [days, hours, minutes] = [Math.floor(seconds / 86400), Math.floor(seconds / 3600), Math.floor(seconds / 60)];
  if (days > 0) return `${days}d${two(hours % 24)}h`;
  if (hours > 0) return `${hours}h${two(minutes % 60)}m`;
  return minutes > 0 ? `${minutes}m${two(seconds % 60)}s` : `${(micros / 1e6).toFixed(1)}s`;
}

/** `12,000 in usual forms, 3 by JSON.parse (1 unknown)`; what did not happen is left out. */
function describeProfile({ fast, general, slow, unknown, invalid }: Profile): string {
  const counts: [number, string][] = [
    [fast, 'in usual forms'],
    [general, 'with other keys'],
    [slow, 'by JSON.parse'],
  ];
  const among: [number, string][] = [
    [unknown, 'unknown'],
    [invalid, 'invalid'],
  ];
  const list = (parts: [number, string][]): string =>
    parts.flatMap(([count, what]) => (count > 0 ? [`${formatCount(count)} ${what}`] : [])).join(', ');
  const told = list(among);
  return (list(counts) || 'no message was decoded') + (told === '' ? '' : ` (${told})`);
}

/** None where messages are of no single symbol: what stands in such a header is a stand-in. */
const instrumentOf = (header: TapeHeader): Instrument | undefined =>
  header.symbol === SHARED_SYMBOL ? undefined : header.instrument;

/** A line for each value that was said, with how often, and one for liquidations. */
function describeBeside(beside: Beside, sampled: boolean): [string, string][] {
  const { mark, index, funding, nextFunding, openInterest, liquidations } = beside;
  const values: [string, Said<string> | undefined][] = [
    ['mark price', mark],
    ['index price', index],
    ['funding', funding],
    ['next funding', nextFunding && { ...nextFunding, last: formatTime(nextFunding.last) }],
    ['open interest', openInterest],
  ];
  const lines = values.flatMap(([name, said]): [string, string][] =>
    said === undefined
      ? []
      : [
          [
            name,
            `${said.last} at ${formatTime(said.t)}, said ${formatCount(said.count)} time${said.count > 1 ? 's' : ''}`,
          ],
        ],
  );
  if (liquidations === undefined) return lines;
  const { buys, buySize, sells, sellSize } = liquidations;
  const sides = `${formatCount(buys)} buying ${buySize}, ${formatCount(sells)} selling ${sellSize}`;
  lines.push(['liquidations', `${sides}${sampled ? ' (the venue pushes a sample)' : ''}`]);
  return lines;
}

function describeSource(info: SourceInfo, { profile, beside }: Read): [string, string][] {
  const { header, segments, entries, bytes, textBytes, first, last, recorders, tools, damage } = info;
  const open = segments.filter(({ sealed }) => !sealed).length;
  const seal = open === 0 ? 'sealed' : `${formatCount(open)} not sealed`;
  const ratio = bytes > 0 ? `${formatBytes(bytes)}, ${(textBytes / bytes).toFixed(1)}:1, ` : '';
  const lines: [string, string][] = [
    ['time', `${formatTime(first)} to ${formatTime(last)}, ${describeDuration(last - first)}`],
    [
      'entries',
      `${formatCount(entries)} in ${formatCount(segments.length)} segment${segments.length > 1 ? 's' : ''}, ${seal}`,
    ],
    ['size', `${ratio}${formatBytes(textBytes)} of text`],
  ];
  if (profile !== undefined) lines.push(['decoded', describeProfile(profile)]);
  if (beside !== undefined) lines.push(...describeBeside(beside, capabilitiesOf(header)?.liquidations === 'sampled'));
  if (damage > 0) lines.push(['damage', `${formatCount(damage)} place${damage > 1 ? 's' : ''}; see tapedeck verify`]);
  if (header === null) return lines;
  const { channels, flow, imported } = header;
  const instrument = instrumentOf(header);
  if (instrument !== undefined) {
    const { kind, tick, lot, multiplier } = instrument;
    lines.push([
      'instrument',
      `${kind}, tick ${tick}, lot ${lot}, multiplier ${multiplier}${describeInferred(instrument)}`,
    ]);
  }
  lines.push(['channels', channels.map((name) => (name === flow ? `${name} (flow)` : name)).join(', ')]);
  const origin = imported === undefined ? '' : `, imported from ${imported}`;
  lines.push([
    recorders.length > 1 ? 'recorders' : 'recorder',
    `${recorders.join(', ')} by ${tools.join(', ')}${origin}`,
  ]);
  return lines;
}

/** ` (tick inferred from messages)`; empty where everything was given. */
function describeInferred(instrument: Instrument): string {
  const names = inferredOf(instrument);
  const steps = names.filter((name) => name !== 'multiplier');
  const parts = steps.length === 0 ? [] : [`${steps.length === 2 ? '' : `${steps[0]} `}inferred from messages`];
  if (names.includes('multiplier')) parts.push('multiplier assumed');
  return parts.length === 0 ? '' : ` (${parts.join(', ')})`;
}

/** What was learned of a src by reading its messages. */
interface Read {
  profile: Profile | undefined;
  beside: Beside | undefined;
}

const capabilitiesOf = (header: TapeHeader | null): Capabilities | undefined =>
  venues.find(({ id }) => id === header?.venue)?.capabilities;

/** A block per market; what is wider than `columns` goes on beneath itself. */
function asText(sources: readonly SourceInfo[], readOf: (info: SourceInfo) => Read, columns: number): string[] {
  return sources.flatMap((info, at) => {
    const lines = describeSource(info, readOf(info));
    const room = columns - Math.max(...lines.map(([name]) => name.length)) - 4;
    const partsOf = (text: string): string[] => (displayWidth(text) <= room ? [text] : wrap(escapeControl(text), room));
    const rows = lines.flatMap(([name, text]) => partsOf(text).map((line, n) => [n === 0 ? name : '', line]));
    return [...(at > 0 ? [''] : []), escapeControl(info.src), ...table([{}, {}], rows).map((line) => `  ${line}`)];
  });
}

function asJson({ src, header, ...info }: SourceInfo, { profile, beside }: Read): string {
  const { venue, symbol, channels, flow, imported, version } = header ?? {};
  const instrument = header === null ? undefined : instrumentOf(header);
  const capabilities = capabilitiesOf(header);
  const told = { src, version, venue, symbol, instrument, channels, flow, imported, capabilities, ...info };
  return JSON.stringify({ ...told, profile, beside });
}

export default defineCommand({
  name: 'info',
  describe: 'Say what tapes hold: markets, times, sizes, instruments',
  positionals: { tape: tapesPositional },
  options: {
    format: formatOption,
    quick: {
      describe: 'read no messages of sealed segments: what was said beside the market is left out',
    },
    profile: {
      describe: 'read all messages and count how many had usual forms, and how many were slower to decode',
      details: `Most messages of a venue have one of a few forms, to the byte. A message with keys that were added or stand in another
order is decoded more slowly, one with escapes or odd numbers, or of a kind that is not known, more slowly still; what is decoded is the same. Many
of them say that the venue changed its messages.`,
    },
  },
  examples: [
    ['tapedeck info tapes/', 'a block per market'],
    ["tapedeck info tapes/ --format json | jq -r '[.src, .entries] | @tsv'", 'entries by market'],
    ['tapedeck info tapes/ --profile', 'and whether the messages have the forms they usually have'],
  ],
  details: `
Sealed segments are not read, but for what is said beside the market: header and index tell the rest, whatever the size. Segments that
are not sealed, plain files and pipes are read through. Files that cannot be read are named on stderr. Interrupted while it reads messages of files, info prints
nothing, and the exit status is 2.

Beside the market. Where a header names channels of mark prices, index prices, funding rates, open interest or liquidations, such as
markPrice, ticker, funding or liquidation, the messages of that tape are read (--quick: they are not): how often each value was
said, the last one and when, and how many liquidations were pushed, by the side of the forced orders, with their sizes. Orders that were not
filled do not count. A funding rate is the running estimate for the next settlement, a fraction per interval; open interest and sizes
are in the units of the market. Liquidations are no trades: the fills of the orders are.

JSON. One object per market: src, version, venue, symbol, instrument (VENUE/_venue has none), channels, flow, imported, capabilities
(what the venue's public data can prove), segments (each with file, bytes, textBytes, entries, first, last, sealed and recorder), first and last (microseconds since 1970), entries, bytes (of the files, tails
included; 0 for a pipe), textBytes, sealed, recorders, tools and damage (damaged places met; only segments that are not sealed are looked through). Where messages beside the market
are read, beside: mark, index, funding, nextFunding (microseconds since 1970) and openInterest, each with count, last and t (when it
was said last), and liquidations (buys, buySize, sells, sellSize); what was never said is not there. With --profile also profile: how many messages
were fast (usual forms), general (other keys, or keys in another order) and slow (JSON.parse), and how many of the slow ones were
unknown (no layout of the venue explains them) and invalid (one does, and its values are wrong). Messages of a tape whose header names no
instrument are not counted.

Exit status: 0, or 1 where a file cannot be read or damage was met.`,

  async handler({ tape, format, quick, profile }, io) {
    const profiler = profile ? createProfiler() : undefined;
    const beside = quick ? undefined : createBesideReader();
    const { sources, faults } = await inspectTapes(tape, io.stdin, {
      profiler,
      beside,
      signal: io.signal,
      note: noteTo(io),
    });
    const out = createDataWriter(io.stdout);
    const readOf = ({ src }: SourceInfo): Read => ({ profile: profiler?.of(src), beside: beside?.of(src) });
    const lines =
      format === 'json'
        ? sources.map((info) => asJson(info, readOf(info)))
        : asText(sources, readOf, io.stdoutIsTty ? io.columns : Number.POSITIVE_INFINITY);
    for (const line of lines) await out.write(`${line}\n`);
    await out.flush();
    for (const { file, message } of faults) io.stderr.write(`${escapeControl(`${file}: ${message}`)}\n`);
    return faults.length > 0 || sources.some(({ damage }) => damage > 0) ? 1 : 0;
  },
});
