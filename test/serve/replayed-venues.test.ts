/** Every venue's tape, served again and recorded again: the recorded topics are the old tape's, byte for byte. */
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { verifyTapes } from '../../src/audit/verify.js';
import { serveTape } from '../../src/serve/serve-tape.js';
import { openTape } from '../../src/tape/tape.js';
import { venueById } from '../../src/venues/registry.js';
import { createRig, startRecording, until } from '../feed/harness.js';
import { SIMULATED } from '../feed/simulated.js';
import { linesIn, messageIn } from '../feed/tape.js';

/** Messages by topic, as they stand on the tapes of a folder; answers left out. */
async function topicsIn(tapes: string, id: string, symbol: string): Promise<Map<string, string[]>> {
  const found = new Map<string, string[]>();
  for (const line of await linesIn(join(tapes, id, symbol))) {
    const text = messageIn(line);
    const bytes = Buffer.from(text ?? '');
    const topic = text === null ? null : venueById(id).topicOf(bytes, 0, bytes.length);
    if (text !== null && topic !== null) found.set(topic, [...(found.get(topic) ?? []), text]);
  }
  return found;
}

// they mostly wait, so they wait together
test.concurrent.for(Object.entries(SIMULATED))(
  '%s: a record of the served tape is the tape',
  async ([id, { symbols }], { onTestFinished }) => {
    const rig = await createRig({ venue: id, symbols, rate: 800 });
    onTestFinished(rig.close);
    const folder = join(rig.folder, 'again');
    const { status } = rig;
    const running = rig.start();
    await until('both books are valid', () => status.valid === 2);
    const from = status.received;
    // as long again as joining took, which may take as long when the tape is played
    await until('as many messages came again', () => status.received > 2 * from + 600);
    await running.stop();
    await rig.exchange.stop();

    const notes: string[] = [];
    const served = await serveTape({
      // eleven recorders share this process: each has time to say all it wants before its tape begins
      ...{ tape: await openTape([rig.out], Readable.from([])), range: {}, speed: 1, settleMs: 3_000 },
      note: (text) => void notes.push(text),
      damaged: ({ message }) => void notes.push(message),
    });
    let validMost = 0;
    const recording = startRecording({
      ...{ venue: venueById(id), symbols, origin: served.venues[0], out: folder },
      status({ valid }) {
        validMost = Math.max(validMost, valid);
      },
    });
    onTestFinished(async () => {
      await served.stop();
      await recording.stop().catch(() => {});
    });
    await served.done;
    await recording.stop();

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
  },
);
