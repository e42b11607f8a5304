/** `tapedeck sim`: a seeded exchange on loopback, for tests, demos and for trying the other commands without a network. */
import type { Micros } from '../model/entry.js';
import { TapedeckError } from '../model/errors.js';
import { parseTimeSpec } from '../model/time.js';
import { createDataWriter } from '../output/stdio.js';
import { serveExchange } from '../serve/exchange.js';
import { createExchange } from '../sim/exchange.js';
import { venueById } from '../venues/registry.js';
import { servedVenue, servedVenues } from '../venues/servers.js';
import { aborted, defineCommand, duration, positiveNumber, wholeNumber } from './command.js';

/** A time that stands for itself; there is no tape an offset could be of. */
function absoluteTime(text: string): Micros {
  const spec = parseTimeSpec(text);
  if (spec.kind === 'absolute') return spec.t;
  throw new TapedeckError('E_USAGE', `'${text}' is an offset; give a time such as 2024-08-08T12:00:00Z`);
}

const able = servedVenues.map(({ id }) => id);

export default defineCommand({
  name: 'sim',
  describe: 'Serve a simulated exchange on loopback',
  positionals: {
    venue: { describe: `whose protocol to speak: ${able.join(', ')}`, required: true },
  },
  options: {
    symbols: {
      value: 'SYM[,SYM]',
      describe: 'symbols to list, as the venue writes them; each has a market of its own',
      required: true,
      array: true,
      separator: ',',
    },
    seed: {
      value: 'N',
      describe: 'what the markets are made from',
      details: 'The same seed, symbols, rate and start give the same messages, to the byte.',
      parse: wholeNumber(),
      default: '1',
    },
    rate: {
      value: 'N',
      describe: 'trades, touches and book updates per second, all symbols together',
      details: 'Where a venue tells the same in several streams, such as aggTrade, they come on top.',
      parse: positiveNumber,
      default: '2000',
    },
    port: {
      value: 'PORT',
      describe: 'port for WebSocket and REST; 0 takes a free one',
      parse: wholeNumber(0, 65535),
      default: '0',
    },
    start: {
      value: 'TIME',
      describe: "the exchange's clock at the start: ISO or epoch; without it, now",
      parse: absoluteTime,
    },
    duration: {
      value: 'DURATION',
      describe: 'stop after this long: 10s, 5m; without it, at Ctrl-C',
      parse: duration,
    },
    'cut-every': {
      value: 'DURATION',
      describe: 'this often, cut the oldest connection of each path, without a closing handshake',
      details: 'To try `record --redundancy`: of several connections side by side, each has its turn.',
      parse: duration,
    },
    ledger: {
      value: 'FILE',
      describe: 'append every message sent to this file, one JSON line each',
      details:
        'Keys: "t" (exchange time, microseconds), "client", "topic" (null for answers), "msg" (verbatim), or "text" where it is no JSON. Lines with "opened" or "closed" tell of clients.',
      complete: 'file',
    },
  },
  examples: [
    ['tapedeck sim binance-usdm --symbols BTCUSDT,ETHUSDT', 'two markets; the first line says where'],
    ['tapedeck sim okx-swap --symbols BTC-USDT-SWAP', 'a swap of OKX, sized in contracts'],
    [
      'tapedeck sim binance-spot --symbols BTCUSDT --seed 7 --rate 5000 --port 9001 --ledger sent.ndjson',
      'fixed port, all written down',
    ],
  ],
  details: `The first line on stdout names the two addresses, for \`record --endpoint\` and \`--rest-endpoint\`:

  ws://127.0.0.1:43210 http://127.0.0.1:43210

One matching engine is behind every protocol. Streams the market has nothing for, such as funding rates and (but for
BingX) tickers and mark prices, are acknowledged and stay silent. Only this machine can connect. The market is made up: it is
for testing tools, not ideas.`,

  async handler(args, io) {
    const { id } = venueById(args.venue);
    const venue = servedVenue(id);
    if (venue === null) throw new TapedeckError('E_USAGE', `${id} cannot be simulated; ${able.join(', ')} can`);
    const start = args.start ?? io.now();
    const { symbols, seed, rate, port } = args;
    const market = createExchange({ symbols, seed, rate, start, kind: venue.kind, form: venue.symbolForm });
    const exchange = await serveExchange({
      venue,
      market,
      port,
      ...(args.ledger === undefined ? {} : { ledger: args.ledger }),
      ...(args.cutEvery === undefined ? {} : { cutEveryMs: args.cutEvery / 1000 }),
      ...(args.duration === undefined ? {} : { until: start + args.duration }),
    });
    try {
      const out = createDataWriter(io.stdout, { live: true });
      await out.write(`${exchange.wsUrl} ${exchange.httpUrl}\n`);
      await out.flush();
      await Promise.race([exchange.done, aborted(io.signal)]);
    } finally {
      await exchange.stop();
    }
    if (!io.quiet) io.stderr.write(`sent ${exchange.sent} messages\n`);
    return 0;
  },
});
