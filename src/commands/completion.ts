/** `tapedeck completion`: a shell's completion script, made from the option declarations. */
import { createDataWriter } from '../output/stdio.js';
import {
  type Command,
  defineCommand,
  globalOptions,
  type OptionDeclaration,
  type Options,
  takesValue,
} from './command.js';

const PROGRAM = 'tapedeck';

type Shell = 'bash' | 'zsh' | 'fish';

/** Single quotes for all three shells; zsh and fish descriptions hold nothing but our own texts. */
const quote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

const optionsOf = (command: Command): [string, OptionDeclaration][] =>
  Object.entries<OptionDeclaration>({ ...command.options, ...globalOptions } as Options);

/** Words to offer for a value: its choices, files, or nothing. */
function choicesOf(option: OptionDeclaration): readonly string[] {
  return takesValue(option) ? (option.choices ?? []) : [];
}

function bash(commands: readonly Command[]): string {
  const cases = commands.map((command) => {
    const names = optionsOf(command).flatMap(([name, { alias }]) => [
      `--${name}`,
      ...(alias === undefined ? [] : [`-${alias}`]),
    ]);
    const values = optionsOf(command)
      .filter(([, option]) => takesValue(option))
      .map(([name, option]) => {
        const pattern = [`--${name}`, ...(option.alias === undefined ? [] : [`-${option.alias}`])].join('|');
        const file = takesValue(option) && option.complete !== undefined ? option.complete : null;
        const reply =
          file === null
            ? `COMPREPLY=($(compgen -W ${quote(choicesOf(option).join(' '))} -- "$word"))`
            : `COMPREPLY=($(compgen ${file === 'file' ? '-f' : '-d'} -- "$word"))`;
        return `      ${pattern}) ${reply}; return;;`;
      });
    const words = Object.values(command.positionals).flatMap((positional) => positional.choices ?? []);
    const files = Object.values(command.positionals).some((positional) => positional.complete !== undefined);
    return [
      `    ${command.name})`,
      ...(values.length > 0 ? ['      case "$before" in', ...values.map((line) => `  ${line}`), '      esac'] : []),
      `      if [[ $word == -* ]]; then COMPREPLY=($(compgen -W ${quote(names.join(' '))} -- "$word"))`,
      ...(words.length > 0 ? [`      else COMPREPLY=($(compgen -W ${quote(words.join(' '))} -- "$word"))`] : []),
      ...(files && words.length === 0 ? ['      else COMPREPLY=($(compgen -f -- "$word"))'] : []),
      '      fi;;',
    ].join('\n');
  });
  return `# bash completion for ${PROGRAM}: source it, or save it in ~/.local/share/bash-completion/completions/${PROGRAM}
_${PROGRAM}() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]}
  COMPREPLY=()
  if ((COMP_CWORD == 1)); then
    COMPREPLY=($(compgen -W ${quote([...commands.map(({ name }) => name), '--help', '--version'].join(' '))} -- "$word"))
    return
  fi
  case "\${COMP_WORDS[1]}" in
${cases.join('\n')}
  esac
}
complete -o filenames -F _${PROGRAM} ${PROGRAM}
`;
}

function zsh(commands: readonly Command[]): string {
  const plain = (text: string): string => text.replace(/[[\]:\\]/g, '\\$&');
  const action = (option: { choices?: readonly string[]; complete?: string }): string => {
    if (option.choices !== undefined) return `(${option.choices.join(' ')})`;
    if (option.complete === 'directory') return '_files -/';
    return option.complete === 'file' ? '_files' : ' ';
  };
  const cases = commands.map((command) => {
    const specs = optionsOf(command).map(([name, option]) => {
      const text = `[${plain(option.describe)}]`;
      const value = takesValue(option) ? `:${plain(option.value)}:${action(option)}` : '';
      const equals = takesValue(option) ? '=' : '';
      const star = takesValue(option) && option.array ? '*' : '';
      const long = quote(`${star}--${name}${equals}${text}${value}`);
      return option.alias === undefined
        ? long
        : `${long} ${quote(`${star}-${option.alias}${takesValue(option) ? '+' : ''}${text}${value}`)}`;
    });
    const positionals = Object.entries(command.positionals).map(([name, positional]) =>
      quote(`${positional.variadic ? '*' : ''}:${plain(name)}:${action(positional)}`),
    );
    return `    ${command.name}) _arguments ${[...specs, ...positionals].join(' \\\n      ')};;`;
  });
  return `#compdef ${PROGRAM}
# zsh completion for ${PROGRAM}: save it as _${PROGRAM} in a folder of $fpath
_${PROGRAM}() {
  if ((CURRENT == 2)); then
    local -a names=(
${commands.map(({ name, describe }) => `      ${quote(`${name}:${describe}`)}`).join('\n')}
    )
    _describe command names
    return
  fi
  local name=$words[2]
  shift words
  ((CURRENT--))
  case $name in
${cases.join('\n')}
  esac
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then _${PROGRAM} "$@"; else compdef _${PROGRAM} ${PROGRAM}; fi
`;
}

function fish(commands: readonly Command[]): string {
  const quoteFish = (text: string): string => `'${text.replace(/['\\]/g, '\\$&')}'`;
  const lines = [`# fish completion for ${PROGRAM}: save it as ~/.config/fish/completions/${PROGRAM}.fish`];
  for (const { name, describe } of commands)
    lines.push(`complete -c ${PROGRAM} -n __fish_use_subcommand -f -a ${name} -d ${quoteFish(describe)}`);
  for (const command of commands) {
    const seen = `-n '__fish_seen_subcommand_from ${command.name}'`;
    for (const [name, option] of optionsOf(command)) {
      const letter = option.alias === undefined ? '' : ` -s ${option.alias}`;
      const file = takesValue(option) && option.complete !== undefined;
      const values = choicesOf(option);
      const value = takesValue(option)
        ? ` -r${file ? ' -F' : ' -f'}${values.length > 0 ? ` -a ${quoteFish(values.join(' '))}` : ''}`
        : '';
      lines.push(`complete -c ${PROGRAM} ${seen} -l ${name}${letter}${value} -d ${quoteFish(option.describe)}`);
    }
    const words = Object.values(command.positionals).flatMap((positional) => positional.choices ?? []);
    if (words.length > 0) lines.push(`complete -c ${PROGRAM} ${seen} -f -a ${quoteFish(words.join(' '))}`);
  }
  return `${lines.join('\n')}\n`;
}

const SCRIPTS: Record<Shell, (commands: readonly Command[]) => string> = { bash, zsh, fish };

export default defineCommand({
  name: 'completion',
  describe: 'Print a completion script for bash, zsh or fish',
  positionals: { shell: { describe: 'the shell to write for', required: true, choices: ['bash', 'zsh', 'fish'] } },
  options: {},
  examples: [
    ['source <(tapedeck completion bash)', 'complete in this shell'],
    ['tapedeck completion fish > ~/.config/fish/completions/tapedeck.fish', 'complete in every fish from now on'],
  ],
  async handler({ shell }, io) {
    const out = createDataWriter(io.stdout);
    await out.write(SCRIPTS[shell](await io.commands()));
    await out.flush();
    return 0;
  },
});
