/** Renders commands as the text of `--help`, 80 columns wide; no I/O. */
import {
  type Command,
  globalOptions,
  type OptionDeclaration,
  type Options,
  synopsis,
  takesValue,
} from './commands/command.js';
import { displayWidth, pad, wrap } from './output/text.js';

const WIDTH = 80;
/** names longer than this stand on a line of their own */
const NAME_COLUMN = 26;

/** `-o, --output DIR`; the blank start keeps long names in line where there is no letter. */
function signature(name: string, option: OptionDeclaration): string {
  const letter = option.alias === undefined ? '    ' : `-${option.alias}, `;
  return `${letter}--${name}${takesValue(option) ? ` ${option.value}` : ''}`;
}

/** What a reader must know beside the description: choices, default, repetition. */
function remarks(option: OptionDeclaration): string {
  if (!takesValue(option)) return '';
  const parts: string[] = [];
  if (option.required) parts.push('required');
  if (option.choices !== undefined) parts.push(option.choices.join(' or '));
  if (option.default !== undefined) parts.push(`default ${option.default}`);
  if (option.array) parts.push('may be repeated');
  return parts.length === 0 ? '' : ` (${parts.join('; ')})`;
}

function definition(name: string, text: string): string[] {
  const lines = wrap(text, WIDTH - NAME_COLUMN - 4);
  const indent = ' '.repeat(NAME_COLUMN + 4);
  const head = `  ${pad(name, NAME_COLUMN)}  `;
  if (displayWidth(name) > NAME_COLUMN) return [`  ${name}`, ...lines.map((line) => indent + line)];
  return lines.map((line, at) => (at === 0 ? head : indent) + line);
}

function optionLines(options: Options): string[] {
  return Object.entries(options).flatMap(([name, option]) =>
    definition(signature(name, option), option.describe + remarks(option)),
  );
}

/** Paragraphs are wrapped; lines that start with two blanks stay as they are. */
function prose(text: string): string[] {
  return text
    .trim()
    .split(/\n\s*\n/)
    .flatMap((paragraph) => ['', ...(/^ {2}/.test(paragraph) ? paragraph.split('\n') : wrap(paragraph, WIDTH))]);
}

/** A command line within the width: broken at blanks outside quotes, with the shell's backslash, so that it can be pasted. */
function commandLine(line: string): string[] {
  const broken: string[] = [];
  let current = ' ';
  for (const word of line.match(/(?:'[^']*'|"[^"]*"|\S)+/g) ?? []) {
    if (displayWidth(current) + displayWidth(word) + 3 > WIDTH && current.trim() !== '') {
      broken.push(`${current} \\`);
      current = '   ';
    }
    current += ` ${word}`;
  }
  return [...broken, current];
}

/** The help of one command. `program` is the word typed before it. */
export function commandHelp(program: string, command: Command): string {
  const [usage, ...rest] = wrap(`Usage: ${program} ${synopsis(command)}`, WIDTH - 4);
  const lines = [usage, ...rest.map((line) => `    ${line}`), '', `${command.describe}.`];
  const positionals = Object.entries(command.positionals);
  if (positionals.length > 0)
    lines.push(
      '',
      'Arguments:',
      ...positionals.flatMap(([name, { describe, choices }]) =>
        definition(name.toUpperCase(), describe + (choices === undefined ? '' : ` (${choices.join(', ')})`)),
      ),
    );
  if (Object.keys(command.options).length > 0) lines.push('', 'Options:', ...optionLines(command.options));
  lines.push('', 'Everywhere:', ...optionLines(globalOptions));
  if (command.examples.length > 0) {
    lines.push('', 'Examples:');
    for (const [line, meaning] of command.examples)
      lines.push(...commandLine(line), ...wrap(meaning, WIDTH - 6).map((text) => `      ${text}`));
  }
  if (command.details !== undefined) lines.push(...prose(command.details));
  return `${lines.join('\n')}\n`;
}

/** The help of the whole program. */
export function programHelp(
  program: string,
  title: string,
  commands: readonly { name: string; describe: string }[],
): string {
  const width = Math.max(...commands.map(({ name }) => name.length));
  return `${[
    `Usage: ${program} COMMAND [options] ...`,
    '',
    `${title}.`,
    '',
    'Commands:',
    ...commands.flatMap(({ name, describe }) =>
      wrap(describe, WIDTH - width - 4).map((line, at) => `  ${pad(at === 0 ? name : '', width)}  ${line}`),
    ),
    '',
    'Everywhere:',
    ...optionLines(globalOptions),
    '',
    'Examples:',
    `  ${program} record binance-usdm:BTCUSDT,ETHUSDT -o tapes/`,
    `  ${program} replay tapes/ --speed 10`,
    `  ${program} scan tapes/ --format json | jq 'select(.signal=="absorption")'`,
    '',
    `'${program} COMMAND --help' explains one command, 'man ${program}' the whole.`,
    'Data goes to stdout, talk to stderr. A tape named - is stdin.',
    'Exit status: 0 done, 1 ran but found problems, 2 wrong usage or failure.',
  ].join('\n')}\n`;
}
