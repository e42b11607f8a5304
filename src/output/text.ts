/** Text for people: aligned columns, wrapped paragraphs, and untrusted text made harmless. */

// Control and format characters (bidirectional overrides among them), line separators, lone surrogates: a symbol or
// an exchange's error text must not move the cursor, recolour the screen or reorder a line.
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/** Shows control characters as `\n`, `\x1b` or `\u202e`; everything else stays. One line in, one line out. */
export function escapeControl(text: string): string {
  return text.replace(UNSAFE, (character) => {
    if (character === '\n') return '\\n';
    if (character === '\r') return '\\r';
    if (character === '\t') return '\\t';
    const code = character.codePointAt(0) ?? 0;
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
  });
}

/** A value as JSON on one line; what `JSON.stringify` leaves of unsafe characters (DEL, C1, bidi) as `\\u009b` too. */
export function escapeJson(value: object): string {
  return JSON.stringify(value).replace(UNSAFE, (character) => {
    let escaped = '';
    for (let i = 0; i < character.length; i++) escaped += `\\u${character.charCodeAt(i).toString(16).padStart(4, '0')}`;
    return escaped;
  });
}

const COMBINING = /\p{Mn}/gu;
const WIDE =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Emoji_Presentation}\u3000-\u303f\uff01-\uff60\uffe0-\uffe6]/gu;
const PLAIN = /^[\x20-\x7e]*$/;

/** Columns a text takes on a terminal; symbols with Chinese characters exist. */
export function displayWidth(text: string): number {
  if (PLAIN.test(text)) return text.length;
  const bare = text.replace(COMBINING, '');
  return [...bare].length + (bare.match(WIDE)?.length ?? 0);
}

/** Cuts to `width` columns; a cut text ends in `…`. */
export function truncate(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  let kept = '';
  let used = 0;
  for (const character of text) {
    const next = displayWidth(character);
    if (used + next > width - 1) break;
    kept += character;
    used += next;
  }
  return width > 0 ? `${kept}…` : '';
}

/** Cuts the beginning, where the end tells more: `…usdm:BTCUSDT`. */
export function truncateStart(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  let kept = '';
  let used = 0;
  for (const character of [...text].reverse()) {
    const next = displayWidth(character);
    if (used + next > width - 1) break;
    kept = character + kept;
    used += next;
  }
  return width > 0 ? `…${kept}` : '';
}

/** Fills with blanks to `width` columns; wider text stays whole. */
export function pad(text: string, width: number, align: 'left' | 'right' = 'left'): string {
  const blanks = ' '.repeat(Math.max(0, width - displayWidth(text)));
  return align === 'left' ? text + blanks : blanks + text;
}

export interface Column {
  title?: string;
  align?: 'left' | 'right';
}

/**
 * Rows as lines of aligned columns, two blanks between, a title line first where a column has a title.
 * Cells are escaped here, so callers pass them as they came.
 */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[]): string[] {
  const titles = columns.map((column) => column.title ?? '');
  const safe = rows.map((row) => row.map(escapeControl));
  const all = titles.some((title) => title !== '') ? [titles, ...safe] : safe;
  const widths = columns.map((_, at) => Math.max(0, ...all.map((row) => displayWidth(row[at] ?? ''))));
  return all.map((row) =>
    columns
      .map(({ align }, at) => pad(row[at] ?? '', widths[at], align))
      .join('  ')
      .trimEnd(),
  );
}

/** Breaks one paragraph at blanks into lines of at most `width` columns; longer words stay whole. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/).filter((part) => part !== '')) {
    if (line === '') line = word;
    else if (displayWidth(line) + 1 + displayWidth(word) <= width) line += ` ${word}`;
    else {
      lines.push(line);
      line = word;
    }
  }
  return line === '' ? lines : [...lines, line];
}

const GROUPS = /\B(?=(\d{3})+(?!\d))/g;

/** `1234567` as `1,234,567`. */
export function formatCount(count: number): string {
  return String(count).replace(GROUPS, ',');
}

/** Bytes as people read them: `512 B`, `1.5 MB` (powers of 1000, as storage is sold and `zstd` prints). */
export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 ? value : value.toFixed(value < 9.95 ? 2 : value < 99.5 ? 1 : 0)} ${units[unit]}`;
}
