/** Completion scripts, asked the way a shell asks them. */
import { spawnSync } from 'node:child_process';
import { PassThrough } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { type Command, defineCommand } from '../../src/commands/command.js';
import completion from '../../src/commands/completion.js';
import { createIo } from './run.js';

const play = defineCommand({
  name: 'play',
  describe: "Play 'it'",
  positionals: { tape: { describe: 'what to play', variadic: true, complete: 'file' } },
  options: {
    format: { value: 'FORMAT', describe: 'text [or] json: either', choices: ['text', 'json'] },
    output: { alias: 'o', value: 'DIR', describe: 'where to', complete: 'directory' },
    speed: { value: 'N', describe: 'how fast' },
  },
  examples: [],
  handler: async () => 0,
});
const commands: readonly Command[] = [play, completion];

async function script(shell: string): Promise<string> {
  const stdout = new PassThrough();
  const io = createIo({ stdout, commands: async () => commands });
  expect(await completion.run({ shell }, io)).toBe(0);
  return stdout.read().toString('utf8');
}

const has = (shell: string): boolean => spawnSync(shell, ['-c', 'exit 0']).status === 0;

describe.skipIf(!has('bash'))('bash (where installed)', () => {
  const offered = async (...words: string[]): Promise<string[]> => {
    const ask = `${await script('bash')}
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _tapedeck; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { stdout, stderr } = spawnSync('bash', ['-c', ask, 'bash', 'tapedeck', ...words], {
      encoding: 'utf8',
      cwd: new URL('../..', import.meta.url).pathname,
    });
    expect(stderr).toBe('');
    return stdout.split('\n').filter((line) => line !== '');
  };

  test.each([
    [[''], ['play', 'completion', '--help', '--version']],
    [['pl'], ['play']],
    [['play', '--f'], ['--format']],
    [
      ['play', '-'],
      ['--format', '--output', '-o', '--speed', '--quiet', '-q', '--no-color', '--help', '-h', '--version', '-V'],
    ],
    [
      ['play', '--format', ''],
      ['text', 'json'],
    ],
    [['play', '--format', 'j'], ['json']],
    [['play', '--speed', ''], []],
    [['play', '-o', 'src/mod'], ['src/model']],
    [['play', '-o', 'package.j'], []],
    [['play', 'package.j'], ['package.json']],
    [
      ['completion', ''],
      ['bash', 'zsh', 'fish'],
    ],
    [['completion', 'z'], ['zsh']],
    [['unknown', ''], []],
  ])('%j', async (words, expected) => expect(await offered(...words)).toEqual(expected));
});

test.skipIf(!has('zsh'))('zsh accepts its script (where installed)', async () => {
  const { status, stderr } = spawnSync('zsh', ['-n'], { input: await script('zsh'), encoding: 'utf8' });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
});

test('zsh: every option with its text, brackets and colons made literal', async () => {
  const text = await script('zsh');
  expect(text).toMatch(/^#compdef tapedeck\n/);
  expect(text).toContain(`'--format=[text \\[or\\] json\\: either]:FORMAT:(text json)'`);
  expect(text).toContain(`'--output=[where to]:DIR:_files -/' '-o+[where to]:DIR:_files -/'`);
  expect(text).toContain(`'play:Play '\\''it'\\'''`);
  expect(text).toContain(`'*:tape:_files'`);
});

test.skipIf(!has('fish'))('fish accepts its script (where installed)', async () => {
  const { status, stderr } = spawnSync('fish', ['--no-execute'], { input: await script('fish'), encoding: 'utf8' });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
});

test('fish: every option with its text', async () => {
  const text = await script('fish');
  expect(text).toContain("complete -c tapedeck -n __fish_use_subcommand -f -a play -d 'Play \\'it\\''\n");
  expect(text).toContain(
    "-n '__fish_seen_subcommand_from play' -l format -r -f -a 'text json' -d 'text [or] json: either'\n",
  );
  expect(text).toContain("-n '__fish_seen_subcommand_from play' -l output -s o -r -F -d 'where to'\n");
});
