// How punctual `replay --speed 1` is: when each line reached a pipe, against when it was due; and what waiting costs.
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { median, quantile, start } from './measure.mjs';
import { simulatedSession } from './session.mjs';
import { importLines } from './tapes.mjs';

const MOST_LATE_MS = 0.5;
const MOST_DRIFT_MS = 0.1;
const MOST_CPU = 0.05;
/** messages per second of the tape on which waiting must cost next to nothing */
const QUIET_RATE = 20;

export async function measurePacing({ tape, tapedeck, folder, seconds, say }) {
  say('pacing:');
  const busy = await pace({ tapedeck, path: tape.path, folder, seconds });
  const path = join(folder, 'quiet');
  await importLines({ lines: await simulatedSession(seconds, QUIET_RATE), folder, name: 'quiet', tapedeck });
  const quiet = await pace({ tapedeck, path, folder, seconds });
  const faults = [];
  const hold = (value, most, what) => {
    if (!(Math.abs(value) < most)) faults.push({ speed: true, text: `${what} is ${value.toFixed(3)}, under ${most}` });
  };
  hold(busy.p99, MOST_LATE_MS, 'p99 lateness of replay --speed 1 in ms');
  hold(busy.drift, MOST_DRIFT_MS, 'drift of replay --speed 1 in ms');
  hold(quiet.cpu, MOST_CPU, 'CPU share of replay --speed 1 on a quiet tape');
  const percent = (share) => `${(share * 100).toFixed(1)} %`;
  const notes = [
    `\`replay --speed 1\` over ${busy.seconds.toFixed(0)} s: lines come at the median ${busy.p50.toFixed(3)} ms and at p99 ${busy.p99.toFixed(3)} ms after they are due (under ${MOST_LATE_MS}), drift ${busy.drift.toFixed(3)} ms, ${percent(busy.cpu)} CPU at ${busy.rate.toFixed(0)} lines/s and ${percent(quiet.cpu)} at ${quiet.rate.toFixed(0)} (under ${percent(MOST_CPU)}).`,
  ];
  return { notes, faults };
}

/** Replays the first `seconds` of the tape in real time and times every line's arrival. */
async function pace({ tapedeck, path, folder, seconds }) {
  const fifo = join(folder, 'pacing.fifo');
  execFileSync('mkfifo', [fifo]);
  const reader = new Worker(new URL('pacing-reader.mjs', import.meta.url), { workerData: { fifo } });
  await once(reader, 'message');
  const read = once(reader, 'message');
  const { ended, cpu } = start(`${tapedeck} replay ${path} --speed 1 --to +${seconds}s > ${fifo}`, null);
  const started = performance.now();
  await ended;
  const took = (performance.now() - started) / 1e3;
  const [arrivals] = await read;
  await rm(fifo);
  // When the first line was taken is not known here, only when it came: so the quickest hundredth counts as on time.
  const onTime = quantile(arrivals, 0.01);
  const late = arrivals.map((offset) => offset - onTime);
  const tenth = Math.ceil(late.length / 10);
  return {
    seconds: took,
    rate: late.length / took,
    p50: quantile(late, 0.5),
    p99: quantile(late, 0.99),
    drift: median(late.slice(-tenth)) - median(late.slice(0, tenth)),
    cpu: cpu() / took,
  };
}
