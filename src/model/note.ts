/** What a command that runs on says on the way: a sentence for people, with facts for programs that read its log. */

export interface NoteFacts {
  /** a word that stays the same: `reconnect`, `gap`, `summary` */
  event: string;
  /** default info */
  level?: 'info' | 'warn' | 'error';
  venue?: string;
  symbol?: string;
  conn?: string;
  /** told to programs only: there are too many of it for people, who see them counted */
  logOnly?: true;
  /** more that belongs to the event, by name */
  data?: Readonly<Record<string, string | number>>;
}

/** Says one sentence. Control characters are the caller's no concern: whoever prints it escapes them. */
export type Note = (text: string, facts?: NoteFacts) => void;
