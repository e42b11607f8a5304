/** Renders commands as manual pages (roff, man macros); no I/O. */
import {
  type Command,
  globalOptions,
  type OptionDeclaration,
  type Options,
  type PositionalDeclaration,
  takesValue,
} from './commands/command.js';
import { ERROR_CODES } from './model/errors.js';

export interface ManualOf {
  /** `tapedeck` */
  program: string;
  /** a phrase for the NAME section */
  title: string;
  version: string;
}

/** Pages that are not about a command; the program's page points to them. */
const OTHER_PAGES = ['tapedeck-signals(5)', 'tapedeck-tape(5)'];

/** One line of running text: backslashes, hyphens and control characters of roff made literal. */
export function literal(text: string): string {
  const escaped = text.replaceAll('\\', '\\e').replaceAll('-', '\\-').replaceAll('`', '\\(ga').replaceAll("'", '\\(aq');
  return escaped.replaceAll('^', '\\(ha').replaceAll('~', '\\(ti').replace(/^\./, '\\&.');
}

export const bold = (text: string): string => `\\fB${literal(text)}\\fR`;
const italic = (text: string): string => `\\fI${literal(text)}\\fR`;
export const sentence = (text: string): string =>
  `${text[0].toUpperCase()}${text.slice(1)}${text.endsWith('.') ? '' : '.'}`;

function prose(text: string): string[] {
  return text
    .trim()
    .split(/\n\s*\n/)
    .flatMap((paragraph) =>
      /^ {2}/.test(paragraph)
        ? ['.PP', '.RS 2', '.nf', ...paragraph.split('\n').map((line) => literal(line.slice(2))), '.fi', '.RE']
        : ['.PP', ...paragraph.split('\n').map((line) => literal(line.trim()))],
    );
}

function optionEntry(name: string, option: OptionDeclaration): string[] {
  const value = takesValue(option) ? ` ${italic(option.value)}` : '';
  const letter = option.alias === undefined ? '' : `${bold(`-${option.alias}`)}, `;
  const remarks: string[] = [];
  if (takesValue(option)) {
    if (option.required) remarks.push('Must be given.');
    if (option.choices !== undefined) remarks.push(`One of ${option.choices.map(bold).join(', ')}.`);
    if (option.array) remarks.push('May be repeated.');
    if (option.default !== undefined) remarks.push(`Default: ${bold(option.default)}.`);
  }
  return [
    '.TP',
    `${letter}${bold(`--${name}`)}${value}`,
    literal(sentence(option.describe)),
    ...(option.details === undefined
      ? []
      : option.details
          .trim()
          .split(/\s*\n\s*/)
          .map(literal)),
    ...remarks,
  ];
}

const optionEntries = (options: Options): string[] =>
  Object.entries(options).flatMap(([name, option]) => optionEntry(name, option));

function positionalEntry(name: string, positional: PositionalDeclaration): string[] {
  return [
    '.TP',
    italic(name.toUpperCase()),
    literal(sentence(positional.describe)),
    ...(positional.details === undefined
      ? []
      : positional.details
          .trim()
          .split(/\s*\n\s*/)
          .map(literal)),
    ...(positional.choices === undefined ? [] : [`One of ${positional.choices.map(bold).join(', ')}.`]),
  ];
}

function synopsisLine(program: string, command: Command): string {
  const words = [bold(`${program} ${command.name}`), `[${italic('options')}]`];
  for (const [name, option] of Object.entries(command.options))
    if (takesValue(option) && option.required) words.push(`${bold(`--${name}`)} ${italic(option.value)}`);
  for (const [name, positional] of Object.entries(command.positionals)) {
    const word = `${italic(name.toUpperCase())}${positional.variadic ? '...' : ''}`;
    words.push(positional.required ? word : `[${word}]`);
  }
  return words.join(' ');
}

// the version, not a date: pages change when the program does, and the same sources give the same bytes;
// no hyphenation: words such as binance-spot are copied from here
export const head = (page: string, { program, version }: ManualOf, section = 1): string =>
  `.TH "${page.toUpperCase().replaceAll('-', '\\-')}" ${section} "" "${program} ${version}" "${program} manual"\n.nh\n.ad l`;

const exitStatus = [
  '.SH EXIT STATUS',
  '.TP',
  '.B 0',
  'Done. A reader of the output that goes away is a normal end.',
  '.TP',
  '.B 1',
  'Ran, and found problems.',
  '.TP',
  '.B 2',
  'Wrong usage or failure; one line on stderr with a stable code says what and where.',
];

export function seeAlso(names: readonly string[]): string[] {
  const references = names.map((name) => {
    const [, page, section] = /^(.*)\((\d)\)$/.exec(name) ?? [name, name, '1'];
    return `.BR ${literal(page)} (${section})`;
  });
  return ['.SH SEE ALSO', ...references.map((line, at) => (at < references.length - 1 ? `${line},` : line))];
}

/** The page of one command, `tapedeck-replay(1)`. */
export function commandManual(manual: ManualOf, command: Command): string {
  const { program } = manual;
  const positionals = Object.entries(command.positionals);
  const lines = [
    head(`${program}-${command.name}`, manual),
    '.SH NAME',
    `${literal(`${program}-${command.name}`)} \\- ${literal(command.describe[0].toLowerCase() + command.describe.slice(1))}`,
    '.SH SYNOPSIS',
    synopsisLine(program, command),
    '.SH DESCRIPTION',
    ...prose(command.details ?? `${command.describe}.`),
  ];
  if (positionals.length > 0)
    lines.push('.SH ARGUMENTS', ...positionals.flatMap(([name, positional]) => positionalEntry(name, positional)));
  lines.push('.SH OPTIONS', ...optionEntries(command.options), ...optionEntries(globalOptions), ...exitStatus);
  if (command.examples.length > 0)
    lines.push(
      '.SH EXAMPLES',
      ...command.examples.flatMap(([line, meaning]) => [
        ...['.PP', '.nf', bold(line), '.fi'],
        ...['.RS 4', literal(sentence(meaning)), '.RE'],
      ]),
    );
  lines.push(...seeAlso([`${program}(1)`, ...OTHER_PAGES]));
  return `${lines.join('\n')}\n`;
}

/** The page of the program, `tapedeck(1)`. */
export function programManual(manual: ManualOf, commands: readonly Command[]): string {
  const { program, title } = manual;
  const lines = [
    head(program, manual),
    '.SH NAME',
    `${literal(program)} \\- ${literal(title[0].toLowerCase() + title.slice(1))}`,
    '.SH SYNOPSIS',
    `${bold(program)} ${italic('command')} [${italic('options')}] [${italic('arguments')}]`,
    '.SH DESCRIPTION',
    ...prose(`
tapedeck records raw order book updates and trades of crypto exchanges, plays recordings again at any speed, and scans them for
order-flow signals. Each verb works alone in a pipe. Every loss is marked, and every signal says how well the data proves it.

Data goes to stdout, talk to stderr. Wherever a tape is taken, - is stdin. Words after -- are arguments, whatever they look
like. Times are ISO, epoch, or offsets from the tape's start (+90s) or end (-90s). A
range of time that nothing of a tape lies in is noted, with the times that it has.

What cannot be read of a tape is named, the rest is read, and the status is 1; so it is with a file in a folder, while one that is named itself and
cannot be opened is a failure. A file without a byte counts as such, since a tape has a header; a
pipe by which nothing came is only noted. A file that is named twice, itself and by its folder or by a link, is read once.

The first interrupt (Ctrl-C, SIGTERM, SIGHUP) lets a command finish in order; the second ends it at once.
The status of a command that had not yet read all of its files is 2 then, and what it had printed stands.
`),
    '.SH COMMANDS',
    ...commands.flatMap(({ name, describe }) => [
      '.TP',
      `.BR ${literal(`${program}-${name}`)} (1)`,
      literal(`${describe}.`),
    ]),
    '.SH OPTIONS',
    ...optionEntries(globalOptions),
    '.SH ENVIRONMENT',
    '.TP',
    '.B NO_COLOR',
    'Not empty: no colours.',
    '.TP',
    '.B TAPEDECK_DEBUG',
    'Set to 1: failures are followed by a stack trace.',
    '.TP',
    '.B NODE_DISABLE_COMPILE_CACHE',
    'Set to 1: Node, from 22, keeps nothing in the temporary directory of what it compiled, and the next start is a little slower.',
    ...exitStatus,
    '.SH ERRORS',
    'A failure is one line: the code, while doing what, and where. Damage of a tape and what is found in it are told by such codes too;',
    '.BR tapedeck\\-verify (1)',
    'has more of them.',
    ...Object.entries(ERROR_CODES).flatMap(([code, meaning]) => ['.TP', bold(code), literal(sentence(meaning))]),
    ...seeAlso([...commands.map(({ name }) => `${program}-${name}(1)`), ...OTHER_PAGES]),
  ];
  return `${lines.join('\n')}\n`;
}
