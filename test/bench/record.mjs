// How fast it can be recorded, by one connection and by ten, without a drop and with flat memory, against a bare `ws` client that only counts.
import { fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { nameOf } from './spread.mjs';

const CONNECTIONS = [1, 10];
/** `messages` are made beforehand, of all connections together. */
const FULL = {
  messages: 200_000,
  first: { record: 20_000, ws: 80_000 },
  factor: 1.5,
  halvings: 3,
  seconds: 2,
  hold: 5,
};
const SHORT = {
  messages: 20_000,
  first: { record: 2_000, ws: 2_000 },
  factor: 1.5,
  halvings: 0,
  seconds: 0.3,
  hold: 0.5,
  most: 3_000,
};
/** Whoever is further behind when a step ends falls behind. */
const MOST_LAG_MS = 100;
/** Less of what was asked for means that the sender is as fast as it can be. */
const LEAST_SENT = 0.9;
/** What is recorded while CPU time and memory are measured, of the highest rate. */
const HOLD = 0.75;
/** So much more memory in the second half than in the first is growth. */
const GROWTH_MB = 24;
/** A recorder's status is no older than this. */
const STATUS_SECONDS = 0.2;
/** A kernel's clock tick, in seconds. */
const TICK = 0.01;

const wait = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

/** The next message of a process that has the key. */
const heard = (child, key) =>
  new Promise((resolve, reject) => {
    const done = (message) => {
      if (!(key in message)) return;
      child.off('message', done);
      child.off('exit', lost);
      resolve(message);
    };
    const lost = (status) => reject(new Error(`${child.spawnargs[1]} ended with ${status}`));
    child.on('message', done);
    child.on('exit', lost);
  });

const asked = (child, message, key) => {
  const answer = heard(child, key);
  child.send(message);
  return answer;
};

/** CPU seconds of all threads of a process, and its memory in MB. */
function usageOf(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1].split(' ');
  const memory = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'latin1'));
  return { cpu: (Number(fields[11]) + Number(fields[12])) * TICK, memory: Number(memory?.[1] ?? 0) / 1024 };
}

/** Starts a program of this folder on a core of its own, where there are two. */
function start(name, words, core) {
  const path = new URL(name, import.meta.url).pathname;
  const pinned = availableParallelism() > 1;
  return fork(path, words.map(String), {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    ...(pinned ? { execPath: 'taskset', execArgv: ['-c', String(core), process.execPath] } : {}),
  });
}

/** A sender, and who takes from it by so many connections. */
async function openPair({ kind, connections, folder, messages }) {
  const symbols = Array.from({ length: connections }, (_, n) => nameOf(n)).join(',');
  const sender = start('record-sender.mjs', [symbols, messages / connections], 1);
  const { port } = await heard(sender, 'port');
  const ready = heard(sender, 'ready');
  const out = join(folder, `record-${pairs++}`);
  const client = start('record-client.mjs', [kind, `127.0.0.1:${port}`, symbols, out], 0);
  const close = () => {
    client.kill();
    sender.kill();
  };
  await ready;
  return {
    sender,
    client,
    close,
    /** Ends both. `unheard`: messages that were sent, an answer to each subscription besides, and neither taken nor told to be dropped. */
    async end() {
      const { sent } = await asked(sender, { ask: 'sent' }, 'sent');
      const { received, dropped, gaps } = await asked(client, { end: true }, 'received');
      close();
      return { unheard: sent + connections - received, dropped, gaps };
    },
  };
}
let pairs = 0;

async function measure({ kind, connections, folder, steps, say }) {
  const open = () => openPair({ kind, connections, folder, messages: steps.messages });
  let pair = await open();
  try {
    /** Of the highest rate asked for that was kept up with: what was sent of it. */
    let sustained = 0;
    /** The lowest rate that was not kept up with is more than the sender can. */
    let atLeast = false;
    let unheard = 0;

    /** Sends at a rate: how much came, and how far behind the other side is afterwards. */
    const send = async (rate) => {
      const { sender } = pair;
      const before = await asked(sender, { ask: 'sent' }, 'sent');
      const began = performance.now();
      await asked(sender, { set: rate }, 'set');
      await wait(steps.seconds);
      await asked(sender, { set: 0 }, 'set');
      const took = (performance.now() - began) / 1000;
      const { lag, sent } = await asked(sender, { ask: 'lag' }, 'lag');
      return { lag, came: (sent - before.sent) / took };
    };

    /** Everything is compiled before anything is measured. */
    const warmUp = () => send(steps.first[kind] / 2);

    /** Whether the rate was kept up with. */
    const keeps = async (rate) => {
      const { lag, came } = await send(rate);
      await wait(STATUS_SECONDS);
      const { status } = await asked(pair.client, { ask: 'status' }, 'status');
      const isWhole = status.dropped === 0 && status.gaps === 0;
      const dropped = isWhole ? '' : `, ${status.dropped} dropped and said to be`;
      say(
        `  ${kind}, ${connections}: ${Math.round(rate)}/s asked, ${Math.round(came)}/s sent, ${lag.toFixed(0)} ms behind${dropped}`,
      );
      const isSenderLate = lag <= MOST_LAG_MS && came <= LEAST_SENT * rate;
      const kept = lag <= MOST_LAG_MS && !isSenderLate && isWhole;
      if (kept) sustained = came;
      else atLeast = isSenderLate && isWhole;
      if (!isWhole) {
        // a recorder that has dropped has books to find again: the next rate is for another one
        unheard += (await pair.end()).unheard;
        pair = await open();
        await warmUp();
      }
      return kept;
    };

    await warmUp();
    let low = 0;
    let high = steps.first[kind];
    while (high <= (steps.most ?? Number.POSITIVE_INFINITY) && (await keeps(high))) {
      low = high;
      high *= steps.factor;
    }
    if (low === 0) throw new Error(`${kind} does not keep up with ${high} messages/s on this machine`);
    for (let n = 0; n < steps.halvings; n++) {
      const between = Math.sqrt(low * high);
      if (await keeps(between)) low = between;
      else high = between;
    }

    const { sender, client } = pair;
    const before = { ...(await asked(sender, { ask: 'sent' }, 'sent')), ...usageOf(client.pid) };
    await asked(sender, { set: low * HOLD }, 'set');
    const memory = [];
    for (let n = 0; n < 20; n++) {
      await wait(steps.hold / 20);
      memory.push(usageOf(client.pid).memory);
    }
    await asked(sender, { set: 0 }, 'set');
    const { sent } = await asked(sender, { ask: 'lag' }, 'lag');
    const micros = ((usageOf(client.pid).cpu - before.cpu) / (sent - before.sent)) * 1e6;
    const last = await pair.end();
    const lost = unheard + last.unheard + last.dropped;
    return { rate: sustained, atLeast, micros, memory, lost, gaps: last.gaps };
  } finally {
    pair.close();
  }
}

/** @returns {Promise<{ notes: string[], faults: { speed: boolean, text: string }[] }>} */
export async function measureRecord({ folder, isShort, say }) {
  say('recording:');
  const steps = isShort ? SHORT : FULL;
  const notes = [];
  const faults = [];
  const thousands = ({ rate, atLeast }) =>
    `${atLeast ? 'at least ' : ''}${(rate / 1000).toFixed(0)} thousand messages/s`;
  for (const connections of CONNECTIONS) {
    const of = { connections, folder, steps, say };
    const recorder = await measure({ kind: 'record', ...of });
    const bare = await measure({ kind: 'ws', ...of });
    const half = recorder.memory.length / 2;
    const [first, second] = [recorder.memory.slice(0, half), recorder.memory.slice(half)].map((some) =>
      Math.max(...some),
    );
    const name = connections === 1 ? 'one connection' : `${connections} connections`;
    notes.push(
      `\`record\`, ${name}, one core: ${thousands(recorder)} sustained without a drop, ${recorder.micros.toFixed(1)} µs of CPU a message, ${second.toFixed(0)} MB of memory; a bare \`ws\` client that only counts: ${thousands(bare)}, ${bare.micros.toFixed(1)} µs.`,
    );
    if (recorder.lost !== 0 || recorder.gaps !== 0)
      faults.push({ speed: false, text: `record, ${name}: ${recorder.lost} messages lost, ${recorder.gaps} gaps` });
    if (bare.lost !== 0) faults.push({ speed: false, text: `the bare client, ${name}: ${bare.lost} messages lost` });
    if (second > first + GROWTH_MB)
      faults.push({
        speed: false,
        text: `record, ${name}: memory grows from ${first.toFixed(0)} to ${second.toFixed(0)} MB`,
      });
  }
  return { notes, faults };
}
