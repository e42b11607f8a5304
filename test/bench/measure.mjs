// Running whole commands and measuring them from outside: wall time, CPU time, peak memory, what they printed.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';

/**
 * Starts a shell command with its stdout as a pipe; `cpu()` is the CPU time of all its processes in seconds, once it ended.
 * @param {string | null} cores for taskset, where it is there
 */
export function start(command, cores) {
  const pinned = process.platform === 'linux' && cores !== null ? ['taskset', '-c', cores] : [];
  const timed = `set -o pipefail; exec 4>&2; TIMEFORMAT='%U %S'; { time { ${command}\n} 2>&4; } 2>&3`;
  const [file, ...words] = [...pinned, 'bash', '-c', timed];
  const child = spawn(file, words, { stdio: ['ignore', 'pipe', 'inherit', 'pipe'] });
  let times = '';
  child.stdio[3].on('data', (chunk) => {
    times += chunk;
  });
  const ended = new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status) => (status === 0 ? resolve() : reject(new Error(`'${command}' ended with ${status}`))));
  });
  return { child, ended, cpu: () => times.split(' ').reduce((sum, part) => sum + Number(part), 0) };
}

/**
 * Runs a shell command, on one core unless told otherwise, and waits for it.
 * @returns {Promise<{ seconds: number, cpu: number, stdout: string, peakMB: number }>} `peakMB` is of the largest process
 */
export async function run(command, { cores = '0' } = {}) {
  const started = process.hrtime.bigint();
  const { child, ended, cpu } = start(command, cores);
  const peaks = new Map();
  const watch = setInterval(() => watchPeaks(child.pid, peaks), 25);
  let stdout = '';
  child.stdout.on('data', (chunk) => {
    stdout += chunk;
  });
  try {
    await ended;
  } finally {
    clearInterval(watch);
  }
  const seconds = Number(process.hrtime.bigint() - started) / 1e9;
  return { seconds, cpu: cpu(), stdout, peakMB: Math.max(0, ...peaks.values()) / 1024 };
}

/** Peak resident size of a process and its children, in KiB, from /proc; nothing where there is none. */
function watchPeaks(pid, peaks) {
  try {
    const peak = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
    if (peak !== null) peaks.set(pid, Number(peak[1]));
    for (const task of readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' '))
      if (task !== '') watchPeaks(Number(task), peaks);
  } catch {
    // the process has ended meanwhile
  }
}

export function median(values) {
  return quantile(values, 0.5);
}

/** Between the two values around it, as a median of an even number of values is. */
export function quantile(values, q) {
  const sorted = [...values].sort((a, b) => a - b);
  const at = q * (sorted.length - 1);
  const low = Math.floor(at);
  return sorted[low] + (sorted[Math.ceil(at)] - sorted[low]) * (at - low);
}

/**
 * Runs every case once per round, one after the other, so that a slow minute of the machine hits all alike; each round
 * starts with another case.
 * @param {{ name: string, command: string, cores?: string | null, after?: string }[]} cases `after` is not timed
 * @returns {Promise<Record<string, { seconds: number[], cpu: number[], stdout: string, peakMB: number }>>}
 */
export async function interleaved(cases, rounds, say = () => {}) {
  const results = {};
  for (let round = 0; round < rounds; round++) {
    for (let n = 0; n < cases.length; n++) {
      const { name, command, cores, after } = cases[(n + round) % cases.length];
      const { seconds, cpu, stdout, peakMB } = await run(command, cores === undefined ? {} : { cores });
      if (after !== undefined) await run(after);
      results[name] ??= { seconds: [], cpu: [], stdout, peakMB: 0 };
      const result = results[name];
      if (result.stdout !== stdout) throw new Error(`'${name}' printed something else in round ${round + 1}`);
      result.seconds.push(seconds);
      result.cpu.push(cpu);
      result.peakMB = Math.max(result.peakMB, peakMB);
      say(`  ${round + 1}/${rounds} ${name}: ${seconds.toFixed(2)} s`);
    }
  }
  return results;
}
