/** Bybit and OKX as their documentation describes them, for a recorder to talk to: nothing here is shared with src/venues. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { WebSocket } from 'ws';
import { type SourceReport, verifyTapes } from '../../src/audit/verify.js';
import type { RecordOptions, RecordSummary } from '../../src/feed/recorder.js';
import type { Entry } from '../../src/model/entry.js';
import { parseEntry } from '../../src/tape/line.js';
import type { Venue } from '../../src/venues/venue.js';
import { startRecording, until } from './harness.js';
import { startServer, type TestServer } from './server.js';
import { linesIn, messageIn } from './tape.js';

/** What the venue does about topics; a topic is `orderbook.200.BTCUSDT`, or `books:BTC-USDT-SWAP`. */
export interface Script {
  /** what follows the ack of a subscription, the first text at the first; without one left nothing does */
  onSubscribe: Record<string, string[]>;
  /** what is said instead of an ack */
  refused: Record<string, string>;
  /** topics that are neither acked nor refused */
  ignored: Set<string>;
  /** bodies of REST answers by path and query; a list gives them one after the other, its last one for ever */
  rest: Record<string, string[]>;
}

type Say = (data: string | Buffer) => void;
/** Answers one text of the client. */
export type Dialect = (text: string, script: Script, say: Say) => void;

/** Acks of linear and inverse topics; one bad argument refuses the whole request. */
export const bybit: Dialect = (text, script, say) => {
  const { op, args = [], req_id: id } = JSON.parse(text) as { op: string; args?: string[]; req_id?: string };
  const named = id === undefined ? '' : `"req_id":"${id}",`;
  if (op === 'ping') return say(`{"success":true,"ret_msg":"pong","conn_id":"0a1b2c3d",${named}"op":"ping"}`);
  const refused = args.find((topic) => topic in script.refused);
  if (refused !== undefined) return say(script.refused[refused]);
  if (args.some((topic) => script.ignored.has(topic))) return;
  say(`{"success":true,"ret_msg":"","conn_id":"0a1b2c3d",${named}"op":"${op}"}`);
  if (op === 'subscribe') for (const topic of args) takeNext(script, topic, say);
};

/** One ack per argument. */
export const okx: Dialect = (text, script, say) => {
  if (text === 'ping') return say('pong');
  const { op, args } = JSON.parse(text) as { op: string; args: { channel: string; instId: string }[] };
  for (const { channel, instId } of args) {
    const topic = `${channel}:${instId}`;
    if (topic in script.refused) say(script.refused[topic]);
    else if (!script.ignored.has(topic)) {
      say(`{"event":"${op}","arg":{"channel":"${channel}","instId":"${instId}"},"connId":"a4d3ae55"}`);
      if (op === 'subscribe') takeNext(script, topic, say);
    }
  }
};

function takeNext(script: Script, topic: string, say: Say): void {
  const next = script.onSubscribe[topic]?.shift();
  if (next !== undefined) say(next);
}

export interface StreamRig {
  server: TestServer;
  /** texts the venue sent, in order, all sockets; pongs left out */
  sent: string[];
  script: Script;
  notes: string[];
  status: { received: number; valid: number; books: number; gaps: number; reconnects: number };
  /** the venue says something of its own accord, on the newest socket */
  push(...data: (string | Buffer)[]): void;
  /** the same on any socket */
  pushTo(socket: WebSocket, data: string): void;
  /** moves both clocks of the recorder, which stand still otherwise, and lets it see that */
  advance(ms: number): Promise<void>;
  /** waits until the venue heard so many texts; the only wait before anybody is connected */
  heard(count: number): Promise<void>;
  /** waits until neither side has anything on the way to the other */
  settled(): Promise<void>;
  stop(): Promise<RecordSummary>;
  lines(symbol: string): Promise<string[]>;
  entries(symbol: string): Promise<Entry[]>;
  /** verbatim values of `msg` on a tape */
  messages(symbol: string): Promise<string[]>;
  /** what verify says of all tapes */
  verify(): Promise<SourceReport[]>;
  close(): Promise<void>;
}

export interface StreamRigOptions {
  venue: Venue;
  speak: Dialect;
  symbols: string[];
  script: Partial<Script>;
  channels?: string[];
  record?: Partial<RecordOptions>;
}

/** Starts a venue and a recorder of it. */
export async function createStreamRig(options: StreamRigOptions): Promise<StreamRig> {
  const { venue, speak, symbols, channels } = options;
  const script: Script = { onSubscribe: {}, refused: {}, ignored: new Set(), rest: {}, ...options.script };
  const folder = await mkdtemp(join(tmpdir(), 'tapedeck-streams-'));
  const out = join(folder, 'tapes');
  const server = await startServer();
  const sent: string[] = [];
  const notes: string[] = [];
  const status = { received: 0, valid: 0, books: 0, gaps: 0, reconnects: 0 };
  let saidCount = 0;
  let beats = 0;
  let ms = 0;

  const say = (socket: WebSocket, data: string | Buffer): void => {
    saidCount++;
    if (typeof data === 'string' && !data.includes('pong')) sent.push(data);
    socket.send(data);
  };
  server.hear = (text, socket) => speak(text, script, (data) => say(socket, data));
  server.respond = (request, response) => {
    const bodies = script.rest[request.url ?? ''];
    const body = bodies !== undefined && bodies.length > 1 ? bodies.shift() : bodies?.[0];
    response.writeHead(body === undefined ? 404 : 200, { 'content-type': 'application/json' }).end(body);
  };

  const recording = startRecording({
    ...{ venue, symbols, origin: server, out },
    ...(channels === undefined ? {} : { channels }),
    note: (text, facts) => void (facts?.logOnly || notes.push(text)),
    status: (now) => {
      beats++;
      Object.assign(status, now);
    },
    time: { wallMs: () => 1_786_000_001_500 + ms, monoMs: () => 10_000 + ms },
    ...options.record,
  });

  const lines = (symbol: string): Promise<string[]> => linesIn(join(out, venue.id, symbol));

  return {
    server,
    sent,
    script,
    notes,
    status,
    lines,
    pushTo: say,
    push(...data) {
      const socket = server.sockets.at(-1);
      if (socket === undefined) throw new Error('nobody is connected');
      for (const one of data) say(socket, one);
    },
    async advance(by) {
      ms += by;
      const before = beats;
      await until('the recorder saw the time', () => beats > before);
    },
    heard: (count) => until(`the venue heard ${count} texts`, () => server.heard.length >= count),
    async settled() {
      for (let before = -1; before !== saidCount; ) {
        before = saidCount;
        // the pong comes behind every text that an earlier message made the recorder say
        for (const socket of server.sockets) {
          if (socket.readyState !== socket.OPEN) continue;
          const answered = new Promise((resolve) => socket.once('pong', resolve));
          socket.ping();
          await answered;
        }
      }
      await until('the recorder took what was sent', () => status.received === saidCount);
    },
    stop: recording.stop,
    entries: async (symbol) => (await lines(symbol)).map((line) => parseEntry(line)),
    async messages(symbol) {
      return (await lines(symbol)).flatMap((line) => messageIn(line) ?? []);
    },
    verify: () => verifyTapes({ paths: [out], stdin: Readable.from([]) }),
    async close() {
      await recording.stop().catch(() => {});
      await server.close();
      await rm(folder, { recursive: true });
    },
  };
}
