/** `tapedeck info`: what tapes hold. */
import { inspectTapes, type SourceInfo } from '../audit/info.js';
import { createProfiler, type Profile } from '../audit/profile.js';
import { formatTime } from '../model/time.js';
import { createDataWriter } from '../output/stdio.js';
import { escapeControl, formatBytes, formatCount, table } from '../output/text.js';
import { venues } from '../venues/registry.js';
import { defineCommand, formatOption, tapesPositional } from './command.js';

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

function describeSource(info: SourceInfo, profile: Profile | undefined): [string, string][] {
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
  if (damage > 0) lines.push(['damage', `${formatCount(damage)} places; see tapedeck verify`]);
  if (header === null) return lines;
  const { instrument, channels, flow, imported } = header;
  if (instrument !== undefined) {
    const { kind, tick, lot, multiplier, inferred } = instrument;
    const source = inferred === true ? ' (inferred from messages)' : '';
    lines.push(['instrument', `${kind}, tick ${tick}, lot ${lot}, multiplier ${multiplier}${source}`]);
  }
  lines.push(['channels', channels.map((name) => (name === flow ? `${name} (flow)` : name)).join(', ')]);
  const origin = imported === undefined ? '' : `, imported from ${imported}`;
  lines.push([
    recorders.length > 1 ? 'recorders' : 'recorder',
    `${recorders.join(', ')} by ${tools.join(', ')}${origin}`,
  ]);
  return lines;
}

type ProfileOf = (info: SourceInfo) => Profile | undefined;

function asText(sources: readonly SourceInfo[], profileOf: ProfileOf): string[] {
  return sources.flatMap((info, at) => [
    ...(at > 0 ? [''] : []),
    escapeControl(info.src),
    ...table([{}, {}], describeSource(info, profileOf(info))).map((line) => `  ${line}`),
  ]);
}

function asJson({ src, header, ...info }: SourceInfo, profile: Profile | undefined): string {
  const { venue, symbol, instrument, channels, flow, imported, version } = header ?? {};
  const capabilities = venues.find(({ id }) => id === venue)?.capabilities;
  const told = { src, version, venue, symbol, instrument, channels, flow, imported, capabilities, ...info, profile };
  return JSON.stringify(told);
}

export default defineCommand({
  name: 'info',
  describe: 'Say what tapes hold: markets, times, sizes, instruments',
  positionals: { tape: tapesPositional },
  options: {
    format: formatOption,
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
Sealed segments are not read: header and index tell all of it, whatever the size. Segments that are not sealed, plain files and
pipes are read through. Files that cannot be read are named on stderr, and the exit status is then 1.

JSON. One object per market: src, version, venue, symbol, instrument, channels, flow, imported, capabilities (what the venue's
public data can prove), segments, first and last (microseconds since 1970), entries, bytes, textBytes, sealed, recorders, tools
and damage (damaged places met; only segments that are not sealed are looked through). With --profile also profile: how many messages
were fast (usual forms), general (other keys, or keys in another order) and slow (JSON.parse), and how many of the slow ones were
unknown (no layout of the venue explains them) and invalid (one does, and its values are wrong). Messages of a tape whose header names no
instrument are not counted.`,

  async handler({ tape, format, profile }, io) {
    const profiler = profile ? createProfiler() : undefined;
    const { sources, faults } = await inspectTapes(tape, io.stdin, profiler);
    const out = createDataWriter(io.stdout);
    const profileOf: ProfileOf = ({ src }) => profiler?.of(src);
    const lines = format === 'json' ? sources.map((info) => asJson(info, profileOf(info))) : asText(sources, profileOf);
    for (const line of lines) await out.write(`${line}\n`);
    await out.flush();
    for (const { file, message } of faults) io.stderr.write(`${escapeControl(`${file}: ${message}`)}\n`);
    return faults.length > 0 ? 1 : 0;
  },
});
