/** `tapedeck record`: live L2 updates and trades onto tapes, every loss marked. */
import { checkEndpoints, type EndpointKind, endpointsOf, parseEndpoint } from '../feed/endpoint.js';
import { EXPOSITION_TYPE } from '../feed/metrics.js';
import { describeCounts, type RecordObserver, type RecordStatus, record } from '../feed/recorder.js';
import { channelsOf, parseTargets } from '../feed/targets.js';
import { TapedeckError } from '../model/errors.js';
import { parseDuration } from '../model/time.js';
import { createLog } from '../output/log.js';
import type { Port } from '../serve/port.js';
import type { Keep } from '../tape/tape-queue.js';
import { venueById } from '../venues/registry.js';
import { byteSize, defineCommand, duration, levelOption, listenPlace, wholeNumber } from './command.js';

/** `1h` or `512M`; a unit is asked for, as either may be meant. `example` is what is offered in the place of a wrong text. */
function timeOrSize(text: string, example: string): { time: number } | { size: number } {
  const time = /[a-z]$/.test(text) ? parseDuration(text) : Number.NaN;
  if (time > 0) return { time };
  if (/[a-zA-Z]$/.test(text) && Number.isNaN(time)) return { size: byteSize(text) };
  throw new TapedeckError('E_USAGE', `'${text}' is neither ${example}`);
}

/** The two ways a segment may be full. */
function rotation(text: string): { rotateEvery: number } | { rotateBytes: number } {
  const when = timeOrSize(text, 'a time such as 1h nor a size such as 512M');
  return 'time' in when ? { rotateEvery: when.time } : { rotateBytes: when.size };
}

function retention(text: string): Keep {
  const kept = timeOrSize(text, 'an age such as 30d nor a size such as 200G');
  return 'time' in kept ? { age: kept.time } : { bytes: kept.size };
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

/** Loaded when it is asked for: most recordings have no port. */
async function openStatus(place: { host: string; port: number }, observer: () => RecordObserver | null): Promise<Port> {
  const { openStatusPort } = await import('../serve/status-port.js');
  return openStatusPort({
    ...place,
    health: () => observer()?.health() ?? { ok: false, problems: ['the recording has not begun'] },
    metrics: () => ({ type: EXPOSITION_TYPE, text: observer()?.metrics() ?? '' }),
  });
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
        'With -o the tape never waits for stdout: a closed stdout is reported and recording goes on; a slow one loses lines on stdout only, where drop entries say so. Without -o a closed stdout ends the recording, and what comes after it is not counted.',
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
        'While the thread that writes compresses a full frame, the lines after it wait: some 10 ms at level 6, 25 at 12, half a second at 19.',
      parse: duration,
      default: '1s',
    },
    keep: {
      value: 'AGE|SIZE',
      describe: 'remove sealed segments that are older (30d), or the oldest while all together are larger (200G)',
      details:
        'Looked after at the start, after each rotation and once a minute, and told on stderr. Only sealed segments of the symbols that this recorder writes are removed, in their own folders: never an open one, another symbol, or a file that is no segment of it. To be of use it needs --rotate.',
      parse: retention,
    },
    level: levelOption,
    metrics: {
      value: '[HOST]:PORT',
      describe: 'serve /metrics (Prometheus) and /health there; :0 takes a free port and prints it',
      details:
        'On loopback unless a host is written out. What is served is for anyone who can reach the port: it tells what is recorded and how it goes, and takes no orders.',
      parse: listenPlace,
    },
    'log-format': {
      value: 'FORMAT',
      describe: 'stderr as text for people, or json for programs (one object per line)',
      details:
        'Each line of json has time, level (info, warn, error), event and message, and venue, symbol and conn where they are known; gap entries, which text only counts, are among them.',
      choices: ['text', 'json'],
      default: 'text',
    },
    redundancy: {
      value: 'N',
      describe: 'connections side by side for each stream, 1 to 4',
      details:
        'Every message of every connection goes to the tape, under its own "conn"; readers see one stream. The end of one costs nothing that another one brings. The connections open a quarter of a second apart, and are replaced at different ages.',
      parse: wholeNumber(1, 4),
      default: '1',
    },
    'no-backfill': {
      describe: 'leave missed trades missing, rather than reading them over REST later',
      details:
        'Reading them takes a request or two for a usual gap. Leave it out where an address has to save requests, such as one with many recorders behind it.',
    },
    endpoint: {
      value: '[VENUE=]URL',
      describe: "replace scheme, host and port of the venue's WebSocket routes",
      details:
        'For a testnet, a proxy or `tapedeck sim`. Each route keeps its path. Given more than once for a venue, the connections of --redundancy take one each, in turn. A VENUE that is not recorded is refused.',
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
    [
      'tapedeck record binance-usdm:BTCUSDT -o tapes/ --rotate 1h --keep 30d --metrics :9464 --log-format json',
      'for months, watched by Prometheus',
    ],
  ],
  details: `
No account or key is needed. Symbols are checked with the exchange before anything is written.

What is written. Every message received goes to the tape of its symbol as it came, byte for byte; what names no single symbol goes
to VENUE/_venue. Book snapshots are fetched and joined as the venue prescribes,
and again where the price has used up half of what one made known (Binance, MEXC). Where a venue's ids do not prove its books (BingX),
each book is read over REST besides, soon after it begins and every five minutes, twice each time: verify compares them. A broken sequence, a lost connection or a stream
that falls silent becomes a gap entry that says from when; the book is then fetched anew while the other symbols go on. A stream that
never began (no connection, no answer, no data in time) is told at the end, as a gap from the beginning of the recording; one whose
connection opened only after attempts that failed, when its first message comes.

Missed trades. Where a venue's trades have ids that count (Binance, OKX), they say which trades a lost connection or a lost message
cost, and where the venue has them over REST (see tapedeck-venues(1)), they are read half a second later. The answers stand on the
tape as http entries whose "fills" names the trades they were asked for: no reader takes them for live. The gap stays a gap, signals
and views do not know of them, and tapedeck-verify(1) counts them. Requests stay inside the venue's limit, beside those for books; a
failed one is repeated up to five times, waiting longer each time. A gap of more than 10,000 trades is not asked for, nor is what was
missed while no recorder ran; what is not read when the recording ends stays missing. What came of each gap is told on stderr.

Ending. Ctrl-C (or SIGTERM) closes the connections, seals the tapes and prints how many messages were received, written and
dropped; a second Ctrl-C aborts. A recorder that was killed lost at most what --flush allows; started again it completes what
stands, marks the gap and begins a new segment. Nothing is ever overwritten. The status is 0 when every message received was
written, 1 when some were dropped or the disk failed on the way, 2 when nothing could be recorded, or nothing was received until the end.

SIGHUP begins a new segment of every tape, so that the old ones, sealed, can be moved away; without -o it does nothing. A
terminal that is closed ends the recording as SIGTERM does.

Running it for months. As a service of systemd, in /etc/systemd/system/tapedeck.service:

  [Unit]
  Description=Order flow of BTCUSDT and ETHUSDT
  Wants=network-online.target
  After=network-online.target time-sync.target
  StartLimitIntervalSec=0

  [Service]
  ExecStart=/usr/local/bin/tapedeck record binance-usdm:BTCUSDT,ETHUSDT \\
    -o /var/lib/tapedeck --rotate 1h --keep 30d \\
    --metrics :9464 --log-format json
  ExecReload=/bin/kill -HUP $MAINPID
  Restart=always
  RestartSec=5
  TimeoutStopSec=60
  DynamicUser=yes
  StateDirectory=tapedeck
  ProtectHome=yes
  NoNewPrivileges=yes
  MemoryMax=2G

  [Install]
  WantedBy=multi-user.target

systemctl reload begins new segments. journalctl -u tapedeck -o cat gives the log, one JSON object a line. A second recorder on
the same folder is refused, while the lock of one that died hinders nobody: Restart=always needs no cleaning up. Of --keep,
give less than the disk holds: open segments count, but are never removed.

Watching it. /health answers 200 when every connection is open and has spoken within half the time after which it would be given up,
every stream that always speaks (books, best quotes, mark prices) has done so within 30 s, and the disk takes what it is given; else 503 and,
in "problems", why. Alert on /health, or on tapedeck_healthy, and on any increase of tapedeck_dropped_messages_total. tapedeck_gaps_total
counts what is missing on the tapes, tapedeck_queue_bytes what waits for the disk, tapedeck_exchange_lag_seconds and
tapedeck_event_loop_lag_seconds tell how late messages are, and through whose fault.

What can be lost, when, and how you would know.

  killed process     lines of the last --flush, and what waited for a slow disk;
                     the next start says how many lines it recovered, and a gap
                     entry (restart) stands from the last line to the new start
  power cut          what was not synced: at most the open frame (1 MiB of text
                     or 60 s) and those just closed; told in the same way
  full disk, quota,  nothing while the lines fit into the 64 MB of memory they
  read-only, errors  wait in; then new messages, counted by drop entries, with a
                     gap entry. Said on stderr once, tried again until it works;
                     the status at the end is 1
  disk stands still  the same; sockets are read on meanwhile
  slow stdout        with -o, lines on stdout only: drop entries there, and the
                     count at the end
  lost connection    what was sent until the next one was open: a gap entry for
                     each stream, a line on stderr; the book is joined anew
  exchange restarts  the same, tried again for as long as it takes: at first
                     after half a second, later every 30 s
  ids begin anew     nothing, as match times tell it from repeats at the first
                     message; what the venue left out there nobody knows, so
                     that a gap entry (sequence) stands there
  stopped process    nothing that the system kept in the sockets; where that was
                     not enough the exchange closed them: a lost connection

Nothing is lost unsaid: received is always written and dropped together, and verify proves a tape by its own ids where the venue has
them.

Security. Certificates are verified, always. Messages are limited to 8 MiB, compressed ones to as much once inflated, REST answers to
64 MiB. What comes from the network is data: names become file names only percent-encoded, and control characters are escaped before
anything is shown. No key is needed, and none is read.

Connections. With --redundancy 2 every stream comes by two connections, and the end of either costs nothing: both are on the tape,
and readers take each message once, from whichever connection brought it first. That needs ids. Where a stream has none (trades of
Bybit, BingX, MEXC and WEEX; BingX's book), readers follow one connection, and when that one ends a gap entry of reason handover
says that another is followed and that nothing tells what is missing or doubled between the two. When all connections of a stream are lost,
the gap begins at the newest message of any of them.

Before a venue's lifetime limit, and when it announces that it will end a connection, another one is opened beside it. Once it has
brought each stream that the old one brings, and both ran side by side for a second, the old one is closed: no gap, also with
--redundancy 1. Where no such connection can be had, the old one is kept until the venue ends it; what follows is a reconnect, and a
gap entry.

A book whose ids show no loss (BingX's) counts as lost when its best bid is not below its best ask: a gap entry of reason crossed, and the
book is asked for again, less and less often where that does not help.

A subscription that is confirmed and then silent shows nowhere but in what does not come. Streams that are never silent for long have a
deadline for their first data; what misses it is a gap entry of reason silence, and is asked for once more. Where two streams show the same
trades (Binance's trade, and aggTrade beside it), one that is silent while the other speaks is such a gap too.`,

  async handler(args, io) {
    const { out } = args;
    if (out === undefined && !args.stdout) throw new TapedeckError('E_USAGE', 'give a folder with -o, or --stdout');
    if (out === '-') throw new TapedeckError('E_USAGE', '-o takes a folder; use --stdout to print');
    const requests = parseTargets(args.what).map((target) => ({
      ...target,
      channels: channelsOf(target.venue, args.channels),
    }));
    const recorded = [...new Set(requests.map(({ venue }) => venue.id))];
    for (const given of [args.endpoint, args.restEndpoint]) checkEndpoints(given, recorded);
    const line = createLog(io, args.logFormat, io.now);
    if ((args.endpoint.length === 0) !== (args.restEndpoint.length === 0)) {
      const other = args.endpoint.length === 0 ? 'messages' : 'snapshots';
      line.note(`only one of --endpoint and --rest-endpoint is given: ${other} still come from the venue itself`, {
        ...{ event: 'endpoint', level: 'warn' },
      });
    }
    for (const { venue } of requests) {
      const { length } = endpointsOf(venue.id, args.endpoint);
      if (length > args.redundancy)
        line.note(`${venue.id}: ${length} endpoints are given and ${args.redundancy} will be used; see --redundancy`, {
          ...{ event: 'endpoint', level: 'warn', venue: venue.id },
        });
    }
    let rotate = (): void => {};
    io.onHangup(() => rotate());
    let observer: RecordObserver | null = null;
    // before anything is looked up: a port that is taken is a mistake to be told at once
    const port = args.metrics === undefined ? null : await openStatus(args.metrics, () => observer);
    if (port !== null)
      line.note(`metrics at http://${port.place}/metrics`, { event: 'metrics', data: { place: port.place } });
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
            : {
                ...{ out, level: args.level, flushMs: Math.max(1, Math.round(args.flush / 1000)), ...args.rotate },
                ...(args.keep === undefined ? {} : { keep: args.keep }),
              },
        live: args.stdout ? io.stdout : null,
        endpoints: args.endpoint,
        restEndpoints: args.restEndpoint,
        redundancy: args.redundancy,
        backfill: !args.noBackfill,
        durationMs: args.duration === undefined ? null : args.duration / 1000,
        tool: `tapedeck ${io.version}`,
        signal: io.signal,
        note: line.note,
        observe: (seen) => {
          observer = seen;
        },
        onRotate: (act) => {
          rotate = act;
        },
        // with --stdout the screen belongs to the data, or to what reads it
        ...(io.stderrIsTty && !io.quiet && !args.stdout ? { status } : {}),
      });
      line.clear();
      line.note(describeCounts(summary), { event: 'summary', data: { ...summary } });
      if (summary.linesLost > 0)
        line.note(`stdout lost ${summary.linesLost} lines: its reader was too slow`, {
          ...{ event: 'stdout-slow', level: 'warn', data: { lines: summary.linesLost } },
        });
      return out !== undefined && (summary.dropped > 0 || summary.outages > 0) ? 1 : 0;
    } finally {
      line.clear();
      await port?.close();
    }
  },
});
