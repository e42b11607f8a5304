/** Every venue's tape, served again and recorded again: the recorded topics are the old tape's, byte for byte. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { verifyTapes } from '../../src/audit/verify.js';
import { record } from '../../src/feed/recorder.js';
import { type ServedTape, serveTape } from '../../src/serve/serve-tape.js';
import { readTape } from '../../src/tape/reader.js';
import { openTape } from '../../src/tape/tape.js';
import { venueById } from '../../src/venues/registry.js';
import { createRig, type Rig, until } from '../feed/harness.js';
import { SIMULATED } from '../feed/simulated.js';

// real sockets on a machine with other work
vi.setConfig({ testTimeout: 60_000 });

/** The tests mostly wait, so they wait together. */
const cleaning: (() => Promise<unknown>)[] = [];

afterAll(async () => {
  for (const clean of cleaning.reverse()) await clean();
});

/** Messages by topic, as they stand on the tapes of a folder; answers left out. */
async function topicsIn(tapes: string, id: string, symbol: string): Promise<Map<string, string[]>> {
  const found = new Map<string, string[]>();
  for await (const batch of readTape([join(tapes, id, symbol)])) {
    if ('damage' in batch) throw new Error(batch.damage.message);
    for (const line of batch.bytes.toString('utf8', batch.from, batch.to).split('\n')) {
      const text = /^\{"t":\d{16},"src":"[^"]*","conn":"[^"]*","msg":(.*)\}$/.exec(line)?.[1];
      const bytes = Buffer.from(text ?? '');
      const topic = text === undefined ? null : venueById(id).topicOf(bytes, 0, bytes.length);
      if (text !== undefined && topic !== null) found.set(topic, [...(found.get(topic) ?? []), text]);
    }
  }
  return found;
}

describe.concurrent.each(Object.entries(SIMULATED))('%s', (id, { symbols }) => {
  test('a record of the served tape is the tape', async () => {
    const rig: Rig = await createRig({ venue: id, symbols, rate: 800 });
    const folder = await mkdtemp(join(tmpdir(), 'tapedeck-again-'));
    cleaning.push(rig.close, () => rm(folder, { recursive: true }));
    const { status } = rig;
    const running = rig.start();
    await until('both books are valid', () => status.valid === 2);
    const from = status.received;
    await until('600 more messages came', () => status.received > from + 600);
    await running.stop();
    await rig.exchange.stop();

    const notes: string[] = [];
    const served: ServedTape = await serveTape({
      ...{ tape: await openTape([rig.out], Readable.from([])), range: {}, speed: 1 },
      note: (text) => void notes.push(text),
      damaged: ({ message }) => void notes.push(message),
    });
    cleaning.push(served.stop);
    const [{ wsUrl, httpUrl }] = served.venues;
    const stopping = new AbortController();
    let valid = 0;
    let validMost = 0;
    const venue = venueById(id);
    const recording = record({
      requests: [{ venue, symbols, channels: venue.channels.default }],
      tape: { out: folder },
      live: null,
      endpoints: [{ venue: null, origin: wsUrl }],
      restEndpoints: [{ venue: null, origin: httpUrl }],
      durationMs: null,
      tool: 'tapedeck test',
      signal: stopping.signal,
      note: () => {},
      status: (now) => {
        ({ valid } = now);
        validMost = Math.max(validMost, valid);
      },
      statusEveryMs: 0,
      random: () => 0,
    });
    recording.catch(() => {});
    await served.done;
    stopping.abort();
    await recording;

    expect(notes).toEqual([]);
    expect(validMost).toBe(2);
    for (const symbol of symbols) {
      const before = await topicsIn(rig.out, id, symbol);
      const again = await topicsIn(folder, id, symbol);
      expect([...again.keys()].sort()).toEqual([...before.keys()].sort());
      for (const [topic, texts] of before) expect([topic, again.get(topic)]).toEqual([topic, texts]);
    }
    // what ended the recording is the end of the tape, and nothing else is missing
    const reports = await verifyTapes({ paths: [folder], stdin: Readable.from([]) });
    const problems = reports.flatMap((report) => report.problems.map(({ code, message }) => `${code} ${message}`));
    for (const problem of problems) expect(problem).toMatch(/^GAP .*are missing since .*: disconnect$/);
  });
});
