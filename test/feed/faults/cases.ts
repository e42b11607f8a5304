/** What production does to a recorder, one by one: how it is made, and whether it costs messages. */
import type { ProblemCode } from '../../../src/audit/problems.js';
import type { Venue, VenueServer } from '../../../src/venues/venue.js';
import { until } from '../harness.js';
import { SIMULATED } from '../simulated.js';
import type { Filter, Line, Passing, Refusal } from './relay.js';
import { type FaultRig, SILENCE_MS } from './rig.js';

export interface Fault {
  name: string;
  /** makes it, and ends it again */
  make(rig: FaultRig): Promise<void>;
  /** messages are lost, and gaps say so */
  costs: boolean;
  /** nothing is lost and yet the order is broken: gaps are right */
  reordered?: boolean;
  /** what verify says besides the gaps */
  found?: ProblemCode[];
  /** where it can be made; everywhere without */
  needs?: (venue: Venue) => boolean;
  /** of the exchange, so that it shows soon */
  server?: Partial<VenueServer>;
}

const openLines = ({ relay }: FaultRig): Line[] => relay.lines.filter(({ ended, dead }) => ended === null && !dead);

/** Waits until all connections are there that should be, those of before not counted; then gives them. */
async function connected(rig: FaultRig, before: readonly Line[] = []): Promise<Line[]> {
  const found = (): Line[] => openLines(rig).filter((line) => !before.includes(line) && line.given.length > 0);
  // one that was lost while another was may be tried anew after minutes only
  await rig.hurry(until('all connections are there', () => found().length === rig.connections));
  return found();
}

/** The connection that brings a topic now. */
async function lineOf(rig: FaultRig, topic: string): Promise<Line> {
  const find = (): Line | undefined => openLines(rig).find(({ given }) => given.some((one) => one.topic === topic));
  await rig.hurry(until(`a connection brings ${topic}`, () => find() !== undefined));
  return find()!;
}

/** Ends all connections, and waits for those that come instead. */
async function cutAll(rig: FaultRig): Promise<void> {
  const before = await connected(rig);
  for (const line of before) line.cut();
  await connected(rig, before);
}

/** Applies a filter until it says that it is done, and waits for that. */
async function filtered(
  rig: FaultRig,
  what: string,
  filter: (message: Passing, line: Line, done: () => void) => Passing[],
): Promise<void> {
  let isDone = false;
  const applied: Filter = (message, line) =>
    isDone
      ? [message]
      : filter(message, line, () => {
          isDone = true;
        });
  rig.relay.filters.add(applied);
  await until(what, () => isDone);
  rig.relay.filters.delete(applied);
}

/** The next `count` messages of a channel are changed, or lost. */
function next(
  rig: FaultRig,
  channel: string,
  count: number,
  change: (message: Passing, line: Line) => Passing[],
): Promise<void> {
  const topic = rig.topicOf(channel);
  let left = count;
  return filtered(rig, `${count} messages of ${topic} passed`, (message, line, done) => {
    if (message.topic !== topic) return [message];
    if (--left === 0) done();
    return change(message, line);
  });
}

/** Swaps a message with the next of its channel. */
function swap(rig: FaultRig, channel: string): Promise<void> {
  const topic = rig.topicOf(channel);
  let held: Passing | null = null;
  return filtered(rig, `two messages of ${topic} passed`, (message, _line, done) => {
    if (message.topic !== topic) return [message];
    if (held === null) {
      held = message;
      return [];
    }
    done();
    return [message, held];
  });
}

/** All that comes is held for so long, and then comes at once. */
async function delay(rig: FaultRig, ms: number): Promise<void> {
  const held: [Line, Passing][] = [];
  const hold: Filter = (message, line) => {
    held.push([line, message]);
    return [];
  };
  rig.relay.filters.add(hold);
  await rig.passed(ms);
  rig.relay.filters.delete(hold);
  for (const [line, message] of held) line.give(message);
}

/** Waits until the recorder finds that its book does not go on. */
function bookLost({ notes }: FaultRig): Promise<void> {
  const lost = (): number => notes.filter((note) => note.includes('book lost')).length;
  const before = lost();
  return until('the book is found lost', () => lost() > before);
}

/** A book update is lost, and what is asked for then is refused so often. */
async function refused(rig: FaultRig, times: number, refusal: Refusal | 'hang' | 'old'): Promise<void> {
  // only a book that is valid is lost with an update
  await rig.recovered();
  const old = [...rig.relay.answers].find(([path]) => path.includes('depth'))?.[1] ?? '';
  let left = times;
  rig.relay.refuse = (path) => {
    if (!path.includes('depth')) return null;
    if (left === 0) return null;
    left--;
    return refusal === 'old' ? { status: 200, body: old } : refusal;
  };
  await next(rig, 'depth', 1, () => []);
  await until('all were refused', () => left === 0);
  rig.relay.refuse = null;
}

const asksForBooks = ({ id }: Venue): boolean => SIMULATED[id]?.opens === false;
const isBinance = ({ id }: Venue): boolean => id.startsWith('binance');
const provesBooks = ({ capabilities }: Venue): boolean => capabilities.bookLossDetected;
const provesTrades = ({ capabilities }: Venue): boolean => capabilities.tradeLossDetected;

const text = (data: string | Buffer): Passing => ({ topic: null, data: Buffer.from(data), binary: false });

/** Those that a venue can have. */
export const faultsOf = (venue: Venue): Fault[] => FAULTS.filter(({ needs }) => needs?.(venue) !== false);

export const FAULTS: Fault[] = [
  {
    name: 'half-open socket',
    costs: true,
    async make(rig) {
      const before = await connected(rig);
      for (const line of before) line.die();
      await connected(rig, before);
    },
  },
  {
    name: 'silence while the socket is open',
    costs: true,
    async make(rig) {
      const line = await lineOf(rig, rig.topicOf('depth'));
      const silent: Filter = (message, from) => (from === line && message.topic !== null ? [] : [message]);
      rig.relay.filters.add(silent);
      await rig.hurry(until('it is given up', () => line.ended === 'recorder'));
      rig.relay.filters.delete(silent);
    },
  },
  {
    name: 'subscriptions that are never acked',
    costs: true,
    async make(rig) {
      const before = await connected(rig);
      rig.relay.listen = () => [];
      for (const line of before) line.cut();
      const unheard = (): Line[] =>
        rig.relay.lines.filter((line) => !before.includes(line) && line.ended === 'recorder');
      const past = unheard().length;
      await rig.hurry(until('all were given up', () => unheard().length >= past + rig.connections));
      rig.relay.listen = null;
      await connected(rig, before);
    },
  },
  {
    name: 'wrong acks',
    costs: true,
    async make(rig) {
      const answers = [
        '{"result":null,"id":4711}',
        '{"code":-1121,"msg":"Invalid symbol.\\u001b[31m","id":1}',
        '{"result":"no","id":"x"}',
        '[]',
        'OK',
      ];
      const wrong: Filter = (message) => (message.topic === null ? answers.map(text) : [message]);
      rig.relay.filters.add(wrong);
      await cutAll(rig);
      await rig.heard(100);
      rig.relay.filters.delete(wrong);
    },
  },
  {
    name: 'acks that are lost while data comes',
    costs: true,
    async make(rig) {
      const lost: Filter = (message) => (message.topic === null ? [] : [message]);
      rig.relay.filters.add(lost);
      await cutAll(rig);
      await rig.heard(100);
      rig.relay.filters.delete(lost);
    },
  },
  { name: 'a book update dropped', needs: provesBooks, costs: true, make: (rig) => next(rig, 'depth', 1, () => []) },
  { name: 'trades dropped', needs: provesTrades, costs: true, make: (rig) => next(rig, 'trade', 3, () => []) },
  {
    name: 'messages duplicated',
    needs: provesBooks,
    costs: false,
    async make(rig) {
      for (const channel of rig.channels) await next(rig, channel, 3, (message) => [message, message]);
    },
  },
  {
    name: 'an old message said again',
    needs: provesBooks,
    costs: false,
    async make(rig) {
      const olds = new Map(rig.channels.map((channel) => [rig.topicOf(channel), [] as Passing[]]));
      const keep: Filter = (message) => {
        if (message.topic !== null) olds.get(message.topic)?.push(message);
        return [message];
      };
      rig.relay.filters.add(keep);
      await rig.heard(150);
      for (const [topic, [old]] of olds) if (old !== undefined) (await lineOf(rig, topic)).give(old);
      rig.relay.filters.delete(keep);
    },
  },
  {
    name: 'book updates reordered',
    needs: provesBooks,
    costs: false,
    reordered: true,
    make: (rig) => swap(rig, 'depth'),
  },
  { name: 'trades reordered', costs: false, reordered: true, make: (rig) => swap(rig, 'trade') },
  {
    name: 'trades dropped right after a sequence reset',
    costs: true,
    needs: isBinance,
    async make(rig) {
      await rig.recovered();
      rig.ledger.renumber(-1e8);
      await next(rig, 'trade', 1, (message) => [message]);
      await next(rig, 'trade', 2, () => []);
    },
  },
  { name: 'messages delayed', costs: false, make: (rig) => delay(rig, SILENCE_MS / 2) },
  {
    name: 'closed in the middle of a message',
    costs: true,
    async make(rig) {
      const topic = rig.topicOf('depth');
      await filtered(rig, 'a connection was cut', (message, line, done) => {
        if (message.topic !== topic) return [message];
        done();
        line.cut(message.data);
        return [];
      });
    },
  },
  {
    name: 'pings lost',
    needs: isBinance,
    costs: true,
    server: { pingEveryMs: 500 },
    async make(rig) {
      const before = await connected(rig);
      rig.relay.losesPings = true;
      await connected(rig, before);
      rig.relay.losesPings = false;
    },
  },
  {
    name: 'answers of the recorder to pings lost',
    server: { quietMs: 65_000 },
    costs: true,
    needs: ({ id }) => ['bingx-swap', 'mexc-futures', 'weex-futures'].includes(id),
    async make(rig) {
      const before = await connected(rig);
      rig.relay.listen = (said, line) => (before.includes(line) ? [] : [said]);
      await connected(rig, before);
      rig.relay.listen = null;
    },
  },
  {
    name: 'REST 429',
    needs: asksForBooks,
    costs: true,
    make: (rig) => refused(rig, 2, { status: 429, retryAfter: '1' }),
  },
  {
    name: 'REST 418',
    needs: asksForBooks,
    costs: true,
    make: (rig) => refused(rig, 1, { status: 418, retryAfter: '2' }),
  },
  {
    name: 'REST 500',
    needs: asksForBooks,
    costs: true,
    make: (rig) => refused(rig, 3, { status: 500, body: '<html>' }),
  },
  { name: 'REST timeout', needs: asksForBooks, costs: true, make: (rig) => refused(rig, 2, 'hang') },
  {
    name: 'REST that says nonsense',
    needs: asksForBooks,
    costs: true,
    make: (rig) => refused(rig, 2, { status: 200, body: '{"lastUpdateId":-1,"bids":{}}' }),
  },
  {
    name: 'snapshots older than the stream',
    needs: asksForBooks,
    costs: true,
    make: (rig) => refused(rig, 4, 'old'),
  },
  {
    name: 'sequence reset to lower numbers',
    needs: isBinance,
    costs: false,
    reordered: true,
    async make(rig) {
      await rig.recovered();
      rig.ledger.renumber(-1e8);
      await bookLost(rig);
    },
  },
  {
    // a quote that comes behind its update may have a new number, and then the update has none
    name: 'sequence reset to higher numbers',
    needs: isBinance,
    costs: false,
    reordered: true,
    found: ['TOUCH'],
    async make(rig) {
      await rig.recovered();
      rig.ledger.renumber(1e8);
      await bookLost(rig);
    },
  },
  { name: 'exchange restart', costs: true, make: (rig) => rig.restart(3_000) },
  {
    name: 'the clock an hour ahead, and back',
    costs: false,
    async make(rig) {
      rig.step(3_600_000);
      await rig.heard(300);
      rig.step(0);
      await rig.heard(300);
    },
  },
  {
    name: 'the clock an hour behind, and back',
    costs: false,
    async make(rig) {
      rig.step(-3_600_000);
      await rig.heard(300);
      rig.step(0);
      await rig.heard(300);
    },
  },
  {
    name: 'DNS failure',
    costs: true,
    async make(rig) {
      const unknown = (): number => rig.notes.filter((note) => note.includes('ENOTFOUND')).length;
      const before = unknown();
      // nobody connects any more from here on
      const lines = await connected(rig);
      rig.unknownHost(true);
      for (const line of lines) line.cut();
      await until('it cannot be found', () => unknown() >= before + 4);
      rig.unknownHost(false);
      await rig.hurry(rig.recovered());
    },
  },
  {
    name: 'a message of 20 MB',
    costs: true,
    async make(rig) {
      const line = await lineOf(rig, rig.topicOf('depth'));
      line.readable = line.given.length;
      line.give(text(Buffer.alloc(20 << 20, 'x')));
      await until('it is closed', () => line.ended === 'recorder');
    },
  },
  {
    name: 'text that is no UTF-8',
    needs: provesBooks,
    costs: true,
    async make(rig) {
      const spoilt = (message: Passing): Passing => ({
        ...message,
        data: Buffer.concat([message.data.subarray(0, -2), Buffer.from([0xff, 0xfe]), message.data.subarray(-2)]),
      });
      for (const channel of rig.channels) await next(rig, channel, 1, (message) => [spoilt(message)]);
      (await lineOf(rig, rig.topicOf('depth'))).give(text(Buffer.from([0x7b, 0xc3, 0x28, 0x7d])));
    },
  },
];
