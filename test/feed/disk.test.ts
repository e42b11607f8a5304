/** The recorder over a disk that stalls: sockets are read on, what is lost is marked where it was lost, and the book is read anew. */
import { afterEach, expect, test } from 'vitest';
import { createLocalThread } from '../tape/local-thread.js';
import { createRig, type Rig, until } from './harness.js';
import { follow, gapsOf, only } from './tape.js';

let rig: Rig;

afterEach(() => rig.close());

test('a disk that stalls for a while costs nothing', async () => {
  rig = await createRig({ rate: 2000 });
  const thread = createLocalThread();
  const running = rig.start({ tapeThread: thread.start });
  await until('the folder is asked for', () => thread.waiting > 0);
  thread.deliver();
  await until('the book is valid', () => rig.status.valid === 1);
  // not one order was carried out since
  const { received } = rig.status;
  await until('messages came meanwhile', () => rig.status.received > received + 1000);
  expect(thread.waiting).toBeGreaterThan(1);
  thread.flow();
  const summary = await running.stop();
  await rig.exchange.stop();
  expect(summary).toMatchObject({ dropped: 0, gaps: 0, outages: 0, written: summary.received });
  expect((await rig.recorded(['BTCUSDT'])).toSorted()).toEqual((await rig.sent()).toSorted());
});

test('beyond the bound messages are dropped: a drop entry counts them where they are missing, and the book is joined anew', async () => {
  rig = await createRig({ rate: 2000 });
  const thread = createLocalThread();
  const running = rig.start({ tapeThread: thread.start, queueBound: 400_000 });
  await until('the folder is asked for', () => thread.waiting > 0);
  thread.deliver();
  await until('the book is valid', () => rig.status.valid === 1);
  await until('messages are dropped', () => rig.status.dropped > 500);
  thread.flow();
  await until('the loss is marked', () => rig.status.gaps > 0);
  await until('the book is valid again', () => rig.status.valid === 1);
  const { received } = rig.status;
  await until('messages came after it', () => rig.status.received > received + 500);
  const summary = await running.stop();
  await rig.exchange.stop();
  const sent = await rig.sent();
  const recorded = await rig.recorded(['BTCUSDT']);
  expect(summary.written + summary.dropped).toBe(summary.received);
  const entries = await rig.entries();
  const drops = only(entries, 'drop');
  expect(drops.map(({ drop }) => drop)).toEqual([{ count: summary.dropped, reason: 'the disk was too slow or full' }]);
  // all that was sent is there or counted, and nothing else is there
  expect(sent.length - recorded.length).toBe(summary.dropped);
  const known = new Set(sent);
  expect(recorded.filter((text) => !known.has(text))).toEqual([]);
  // it stands where the messages are missing
  const at = entries.indexOf(drops[0]);
  const gap = entries[at + 1];
  expect(gap).toMatchObject({ gap: { stream: '*', from: entries[at - 1].t, reason: 'damage' } });
  expect(gapsOf(entries)).toHaveLength(1);
  // the longest silence of the tape is the hole
  const followed = await follow(rig, 'BTCUSDT');
  expect(followed.valid).toHaveLength(2);
  expect(followed.lost).toEqual([drops[0].t]);
  expect(followed.counts).toMatchObject({ crossed: 0 });
  const told = rig.notes.filter((note) => /disk/.test(note));
  expect(told.map((note) => /dropped until|marked on the tapes/.exec(note)?.[0])).toEqual([
    'dropped until',
    'marked on the tapes',
  ]);
});
