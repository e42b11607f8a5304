/** One line of a log for programs. */
import type { Micros } from '../model/entry.js';
import type { NoteFacts } from '../model/note.js';
import { formatTime } from '../model/time.js';
import { escapeJson } from './text.js';

/** `{"time":…,"level":…,"event":…,"venue":…,"symbol":…,"conn":…,"message":…,…}` and a newline, without any control character. */
export function logLine(time: Micros, message: string, facts: NoteFacts = { event: 'note' }): string {
  const { event, level = 'info', venue, symbol, conn, data } = facts;
  return `${escapeJson({ time: formatTime(time), level, event, venue, symbol, conn, message, ...data })}\n`;
}
