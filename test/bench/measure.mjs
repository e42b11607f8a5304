// Running whole commands and measuring them from outside: wall time, CPU time, peak memory, what they printed.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';

/**
 * Runs a shell command on one core (where taskset is there) and waits for it.
 * @returns {Promise<{seconds: number, stdout: string, peakMB: number}>} peakMB is the largest of its processes
 */
export function run(command, { cores = '0' } = {}) {
  const pinned = process.platform === 'linux' && cores !== null ? ['taskset', '-c', cores] : [];
  const [file, ...words] = [...pinned, 'bash', '-c', `set -o pipefail; ${command}`];
  const started = process.hrtime.bigint();
  const child = spawn(file, words, { stdio: ['ignore', 'pipe', 'inherit'] });
  const peaks = new Map();
  const watch = setInterval(() => watchPeaks(child.pid, peaks), 25);
  let stdout = '';
  child.stdout.on('data', (chunk) => {
    stdout += chunk;
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status) => {
      clearInterval(watch);
      const seconds = Number(process.hrtime.bigint() - started) / 1e9;
      if (status !== 0) reject(new Error(`'${command}' ended with ${status}`));
      else resolve({ seconds, stdout, peakMB: Math.max(0, ...peaks.values()) / 1024 });
    });
  });
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
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/**
 * Runs every case once per round, one after the other, so that a slow minute of the machine hits all alike.
 * @param {Record<string, string>} cases name -> shell command
 * @returns {Promise<Record<string, {seconds: number[], stdout: string, peakMB: number}>>}
 */
export async function interleaved(cases, rounds, say = () => {}) {
  const results = {};
  for (let round = 0; round < rounds; round++) {
    for (const [name, command] of Object.entries(cases)) {
      const { seconds, stdout, peakMB } = await run(command);
      results[name] ??= { seconds: [], stdout, peakMB: 0 };
      const result = results[name];
      if (result.stdout !== stdout) throw new Error(`'${name}' printed something else in round ${round + 1}`);
      result.seconds.push(seconds);
      result.peakMB = Math.max(result.peakMB, peakMB);
      say(`round ${round + 1}/${rounds} ${name}: ${seconds.toFixed(2)} s`);
    }
  }
  return results;
}
