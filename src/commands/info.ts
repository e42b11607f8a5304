/** `tapedeck info`: what tapes hold. */
import { inspectTapes, type SourceInfo } from '../audit/info.js';
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

function describeSource(info: SourceInfo): [string, string][] {
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

function asText(sources: readonly SourceInfo[]): string[] {
  return sources.flatMap((info, at) => [
    ...(at > 0 ? [''] : []),
    escapeControl(info.src),
    ...table([{}, {}], describeSource(info)).map((line) => `  ${line}`),
  ]);
}

function asJson({ src, header, ...info }: SourceInfo): string {
  const { venue, symbol, instrument, channels, flow, imported, version } = header ?? {};
  const capabilities = venues.find(({ id }) => id === venue)?.capabilities;
  return JSON.stringify({ src, version, venue, symbol, instrument, channels, flow, imported, capabilities, ...info });
}

export default defineCommand({
  name: 'info',
  describe: 'Say what tapes hold: markets, times, sizes, instruments',
  positionals: { tape: tapesPositional },
  options: { format: formatOption },
  examples: [
    ['tapedeck info tapes/', 'a block per market'],
    ["tapedeck info tapes/ --format json | jq -r '[.src, .entries] | @tsv'", 'entries by market'],
  ],
  details: `
Sealed segments are not read: header and index tell all of it, whatever the size. Segments that are not sealed, plain files and
pipes are read through. Files that cannot be read are named on stderr, and the exit status is then 1.

JSON. One object per market: src, version, venue, symbol, instrument, channels, flow, imported, capabilities (what the venue's
public data can prove), segments, first and last (microseconds since 1970), entries, bytes, textBytes, sealed, recorders, tools
and damage (damaged places met; only segments that are not sealed are looked through).`,

  async handler({ tape, format }, io) {
    const { sources, faults } = await inspectTapes(tape, io.stdin);
    const out = createDataWriter(io.stdout);
    const lines = format === 'json' ? sources.map(asJson) : asText(sources);
    for (const line of lines) await out.write(`${line}\n`);
    await out.flush();
    for (const { file, message } of faults) io.stderr.write(`${escapeControl(`${file}: ${message}`)}\n`);
    return faults.length > 0 ? 1 : 0;
  },
});
