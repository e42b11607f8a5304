/** `tapedeck record`: live L2 updates and trades onto tapes, every loss marked. */
import { type EndpointKind, parseEndpoint } from '../feed/endpoint.js';
import { describeCounts, type RecordStatus, record } from '../feed/recorder.js';
import { channelsOf, parseTargets } from '../feed/targets.js';
import { TapedeckError } from '../model/errors.js';
import { parseDuration } from '../model/time.js';
import { createStatusLine } from '../output/progress.js';
import { venueById } from '../venues/registry.js';
import { byteSize, defineCommand, duration, levelOption } from './command.js';

/** `1h` or `512M`: the two ways a segment may be full. */
function rotation(text: string): { rotateEvery: number } | { rotateBytes: number } {
  const every = /[a-z]$/.test(text) ? parseDuration(text) : Number.NaN;
  if (every > 0) return { rotateEvery: every };
  if (/[a-zA-Z]$/.test(text) && Number.isNaN(every)) return { rotateBytes: byteSize(text) };
  throw new TapedeckError('E_USAGE', `'${text}' is neither a time such as 1h nor a size such as 512M`);
}

const endpoint = (kind: EndpointKind) => (text: string) => {
  const parsed = parseEndpoint(text, kind);
  if (parsed.venue !== null) venueById(parsed.venue);
  return parsed;
};

/** `12,345 msg/s  14.2 MB  gaps 0  books 2/2  lag 3 ms  loop 1 ms` */
function describeStatus(status: RecordStatus, perSecond: number): string {
  const lag = status.exchangeLag === null ? '' : `  lag ${Math.round(-status.exchangeLag / 1000)} ms`;
  return [
    `${Math.round(perSecond)} msg/s`,
    `${(status.bytes / 1e6).toFixed(1)} MB`,
    `gaps ${status.gaps}`,
    `books ${status.valid}/${status.books}${lag}`,
    `loop ${Math.round(status.loopLagMs)} ms`,
    ...(status.dropped > 0 ? [`DROPPED ${status.dropped}`] : []),
  ].join('  ');
}

export default defineCommand({
  name: 'record',
  describe: 'Record live order flow to tapes, every loss marked',
  positionals: {
    what: { describe: 'VENUE:SYM[,SYM]..., any number; or VENUE SYM...', required: true, variadic: true },
  },
  options: {
    out: {
      alias: 'o',
      value: 'DIR',
      describe: 'folder for the tapes: DIR/VENUE/SYMBOL/SYMBOL-START.ndjson.zst',
      complete: 'directory',
    },
    stdout: {
      describe: 'print the lines too, as they are received; needs no -o',
      details:
        'With -o the tape never waits for stdout: a closed stdout is reported and recording goes on; a slow one loses lines on stdout only, where drop entries say so. Without -o a closed stdout ends the recording.',
    },
    channels: {
      value: 'NAME[,NAME]',
      describe: "streams to record; without it, the venue's default set",
      array: true,
      separator: ',',
    },
    duration: {
      value: 'DURATION',
      describe: 'stop after this long: 10s, 5m, 1h30m; without it, at Ctrl-C',
      parse: duration,
    },
    rotate: {
      value: 'TIME|SIZE',
      describe: 'start a new segment at each UTC multiple of a time (1h), or at a size (512M)',
      parse: rotation,
    },
    flush: {
      value: 'DURATION',
      describe: 'lines reach the disk within this time: what a killed recorder can lose',
      details:
        'While a full frame is compressed, beside the recording, the lines after it wait: some 10 ms at level 6, 25 at 12, half a second at 19.',
      parse: duration,
      default: '1s',
    },
    level: levelOption,
    endpoint: {
      value: '[VENUE=]URL',
      describe: "replace scheme, host and port of the venue's WebSocket routes",
      details: 'For a testnet, a proxy or `tapedeck sim`. Each route keeps its path.',
      parse: endpoint('ws'),
      array: true,
    },
    'rest-endpoint': {
      value: '[VENUE=]URL',
      describe: "replace scheme, host and port of the venue's REST routes",
      parse: endpoint('rest'),
      array: true,
    },
  },
  examples: [
    ['tapedeck record binance-usdm:BTCUSDT,ETHUSDT -o tapes/', 'two symbols until Ctrl-C'],
    ['tapedeck record binance-spot BTCUSDT -o tapes/ --rotate 1h --duration 8h', 'eight segments of an hour'],
    ['tapedeck record binance-usdm:BTCUSDT --stdout | tapedeck scan -', 'signals live, no tape'],
  ],
  details: `
No account or key is needed. Symbols are checked with the exchange before anything is written.

What is written. Every message received goes to the tape of its symbol as it came, byte for byte; what names no single symbol goes
to VENUE/_venue. Book snapshots are fetched and joined as the venue prescribes. Where a venue's ids do not prove its books (BingX),
each book is read over REST besides, soon after it begins and every five minutes, twice each time: verify compares them. A broken sequence, a lost connection or a stream
that falls silent becomes a gap entry that says from when; the book is then fetched anew while the other symbols go on.

Ending. Ctrl-C (or SIGTERM) closes the connections, seals the tapes and prints how many messages were received, written and
dropped; a second Ctrl-C aborts. A recorder that was killed lost at most what --flush allows; started again it completes what
stands, marks the gap and begins a new segment. Nothing is ever overwritten.

Limits. A connection is replaced before the venue's lifetime limit by a plain reconnect, which leaves a gap entry of some hundred
milliseconds.`,

  async handler(args, io) {
    const { out } = args;
    if (out === undefined && !args.stdout) throw new TapedeckError('E_USAGE', 'give a folder with -o, or --stdout');
    if (out === '-') throw new TapedeckError('E_USAGE', '-o takes a folder; use --stdout to print');
    const requests = parseTargets(args.what).map((target) => ({
      ...target,
      channels: channelsOf(target.venue, args.channels),
    }));
    const line = createStatusLine(io);
    if ((args.endpoint.length === 0) !== (args.restEndpoint.length === 0)) {
      const other = args.endpoint.length === 0 ? 'messages' : 'snapshots';
      line.note(`only one of --endpoint and --rest-endpoint is given: ${other} still come from the venue itself`);
    }
    let before = { received: 0, at: io.now() };
    const status = (now: RecordStatus): void => {
      const at = io.now();
      const perSecond = ((now.received - before.received) * 1e6) / Math.max(1, at - before.at);
      before = { received: now.received, at };
      line.show(describeStatus(now, perSecond));
    };
    try {
      const summary = await record({
        requests,
        tape:
          out === undefined
            ? null
            : { out, level: args.level, flushMs: Math.max(1, Math.round(args.flush / 1000)), ...args.rotate },
        live: args.stdout ? io.stdout : null,
        endpoints: args.endpoint,
        restEndpoints: args.restEndpoint,
        durationMs: args.duration === undefined ? null : args.duration / 1000,
        tool: `tapedeck ${io.version}`,
        signal: io.signal,
        note: (text) => line.note(text),
        // with --stdout the screen belongs to the data, or to what reads it
        ...(io.stderrIsTty && !io.quiet && !args.stdout ? { status } : {}),
      });
      line.clear();
      line.note(describeCounts(summary));
      if (summary.linesLost > 0) line.note(`stdout lost ${summary.linesLost} lines: its reader was too slow`);
      return out !== undefined && (summary.dropped > 0 || summary.outages > 0) ? 1 : 0;
    } finally {
      line.clear();
    }
  },
});
