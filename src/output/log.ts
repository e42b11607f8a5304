/** What a command that runs on says on stderr: sentences for people, or one JSON object a line for programs. */
import type { Micros } from '../model/entry.js';
import type { Note } from '../model/note.js';
import { logLine } from './log-line.js';
import { createStatusLine, type StatusLine } from './progress.js';
import type { Talk } from './terminal.js';

export type LogFormat = 'text' | 'json';

export interface Log extends Omit<StatusLine, 'note'> {
  note: Note;
}

/** With `-q` nothing but errors is logged, in JSON; text says nothing at all then. */
export function createLog(talk: Talk, format: LogFormat, now: () => Micros): Log {
  if (format === 'json')
    return {
      show: () => {},
      note(text, facts) {
        if (!talk.quiet || facts?.level === 'error') talk.stderr.write(logLine(now(), text, facts));
      },
      clear: () => {},
    };
  const line = createStatusLine(talk);
  return {
    ...line,
    note(text, facts) {
      if (facts?.logOnly !== true) line.note(text);
    },
  };
}
