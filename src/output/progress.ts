/** Progress on stderr: a bar for work of known size, one self-renewing line for work without end. */

import type { Talk } from './terminal.js';
import { escapeControl, truncate } from './text.js';

export interface Progress {
  /** how much of the total is done, and a short note such as a file name */
  update(done: number, note?: string): void;
  /** prints a lasting line; the bar goes on below it. Without a bar it is printed all the same */
  say(text: string): void;
  /** takes the bar away; safe to call twice */
  stop(): void;
}

const CLEAR_LINE = '\r\u001b[K';

/** A bar such as `import ████░░ 43% 12 s left  file.gz`; silent with `-q` and where stderr is not a terminal. */
export async function startProgress(talk: Talk, label: string, total: number): Promise<Progress> {
  if (talk.quiet || !talk.stderrIsTty || total <= 0)
    return { update: () => {}, say: (text) => void talk.stderr.write(`${text}\n`), stop: () => {} };
  // loaded here, not above: most runs have no terminal and need no bar
  const { default: cliProgress } = await import('cli-progress');
  const room = Math.max(0, talk.columns - label.length - 50);
  const bar = new cliProgress.SingleBar({
    format: `${label} {bar} {percentage}%  {eta_formatted} left  {note}`,
    barsize: 20,
    barCompleteChar: '#',
    barIncompleteChar: '.',
    // cli.ts decides about signals, and a second Ctrl-C must not leave a terminal without cursor
    gracefulExit: false,
    hideCursor: false,
    clearOnComplete: true,
    etaBuffer: 50,
    fps: 5,
    stream: talk.stderr,
  });
  bar.start(total, 0, { note: '' });
  return {
    update: (done, note = '') => bar.update(Math.min(done, total), { note: truncate(escapeControl(note), room) }),
    say: (text) => void talk.stderr.write(`${CLEAR_LINE}${text}\n`),
    stop: () => bar.stop(),
  };
}

export interface StatusLine {
  /** replaces the line; cut to the width of the terminal */
  show(text: string): void;
  /** prints a lasting line; the status stays below it. With `-q` nothing is printed */
  note(text: string): void;
  /** takes the line away; safe to call twice */
  clear(): void;
}

/** One line at the bottom of the terminal. Where stderr is not a terminal, `show` prints nothing and `note` plain lines. */
export function createStatusLine(talk: Talk): StatusLine {
  const live = talk.stderrIsTty && !talk.quiet;
  let shown = '';
  const erase = (): void => {
    if (shown !== '') talk.stderr.write(CLEAR_LINE);
  };
  return {
    show(text) {
      if (!live) return;
      // one column stays free: a terminal may wrap when the last one is used
      shown = truncate(escapeControl(text), talk.columns - 1);
      talk.stderr.write(`${CLEAR_LINE}${shown}`);
    },
    note(text) {
      if (talk.quiet) return;
      erase();
      talk.stderr.write(`${escapeControl(text)}\n${shown}`);
    },
    clear() {
      erase();
      shown = '';
    },
  };
}
