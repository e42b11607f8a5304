/** One writer per folder: a lock file that a dead process cannot hold. */
import fs from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { fromSystemError, TapedeckError } from '../model/errors.js';

const LOCK_NAME = '.lock';

interface Holder {
  pid: number;
  host: string;
  /** start time of the process as the kernel counts it, so that a reused pid is not taken for the holder */
  started: string | null;
}

/**
 * Takes the folder for writing or recovery. The lock of a process that has ended is taken over.
 * @returns a function that gives the folder back
 * @throws {TapedeckError} E_EXISTS when another process (or this one) writes there
 */
export function lockFolder(folder: string): () => void {
  const path = join(folder, LOCK_NAME);
  const self: Holder = { pid: process.pid, host: hostname(), started: startOf(process.pid) };
  for (let attempt = 0; ; attempt++) {
    try {
      fs.writeFileSync(path, JSON.stringify(self), { flag: 'wx' });
      return () => fs.rmSync(path, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST')
        throw fromSystemError(error, 'locking the folder of a tape', { file: path });
    }
    const holder = readHolder(path);
    if (attempt > 0 || (holder !== null && isAlive(holder, self)))
      throw new TapedeckError(
        'E_EXISTS',
        `while opening a tape for writing: process ${holder?.pid ?? '?'} on ${holder?.host ?? '?'} writes there (if it does not, remove the file)`,
        { file: path },
      );
    fs.rmSync(path, { force: true });
  }
}

function readHolder(path: string): Holder | null {
  try {
    const { pid, host, started } = JSON.parse(fs.readFileSync(path, 'utf8')) as Partial<Holder>;
    return typeof pid === 'number' && typeof host === 'string' ? { pid, host, started: started ?? null } : null;
  } catch {
    // cut short by a crash, or gone by now
    return null;
  }
}

function isAlive(holder: Holder, self: Holder): boolean {
  // another machine on a shared disk cannot be asked
  if (holder.host !== self.host) return true;
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    // EPERM: it lives and belongs to someone else
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  return holder.started === null || holder.started === startOf(holder.pid);
}

/** Linux: field 22 of /proc/PID/stat and the boot it counts from; null elsewhere. */
function startOf(pid: number): string | null {
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, 'latin1');
    const boot = fs.readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
    return `${boot} ${stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]}`;
  } catch {
    return null;
  }
}
