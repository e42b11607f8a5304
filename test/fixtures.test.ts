/** The tapes of fixtures/ read by the program as users run it: what each was made to show is what it shows. Needs `npm run build`. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = new URL('..', import.meta.url).pathname;
const fixtures = join(root, 'fixtures');
const tapes = readdirSync(fixtures, { withFileTypes: true }).flatMap((one) => (one.isDirectory() ? [one.name] : []));

function tapedeck(...words: string[]): { status: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, 'bin/tapedeck.js'), ...words], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  return { status, stdout, stderr };
}

interface Verdict {
  src: string;
  messages: number;
  gaps: number;
  touch: { checked: number; agreed: number };
  problems: { code: string }[];
}

function verify(name: string): { status: number | null; verdicts: Verdict[] } {
  const { status, stdout } = tapedeck('verify', join(fixtures, name), '--format', 'json');
  return {
    status,
    verdicts: stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Verdict),
  };
}

const codes = (verdicts: Verdict[]): string[] => [
  ...new Set(verdicts.flatMap(({ problems }) => problems.map(({ code }) => code))),
];

describe('fixtures', () => {
  it('are all listed here and in their README', () => {
    expect(existsSync(join(root, 'dist/bundle/cli.cjs')), 'dist/ is missing: run npm run build first').toBe(true);
    expect(tapes.sort()).toEqual(['coinm', 'full', 'gap', 'minimal', 'reconnect', 'spot', 'torn', 'version-1']);
  });

  it.each(['minimal', 'full', 'coinm', 'spot', 'version-1'])('%s verifies without a finding', (name) => {
    const { status, verdicts } = verify(name);
    expect([status, codes(verdicts)]).toEqual([0, []]);
    for (const { messages, gaps, touch } of verdicts) {
      expect(messages).toBeGreaterThan(20);
      expect(gaps).toBe(0);
      expect(touch.agreed).toBe(touch.checked);
      if (name !== 'minimal' && name !== 'version-1') expect(touch.checked).toBeGreaterThan(5);
    }
  });

  it('gap: the lost message is one gap, and the book after it agrees with the quotes', () => {
    const { status, verdicts } = verify('gap');
    expect([status, codes(verdicts), verdicts[0].gaps]).toEqual([1, ['GAP'], 1]);
    expect(verdicts[0].touch.agreed).toBe(verdicts[0].touch.checked);
    expect(verdicts[0].touch.checked).toBeGreaterThan(10);
  });

  it('reconnect: what was lost with the connections is marked', () => {
    const { status, verdicts } = verify('reconnect');
    expect([status, codes(verdicts)]).toEqual([1, ['GAP']]);
    expect(verdicts[0].touch.agreed).toBe(verdicts[0].touch.checked);
    const { stdout } = tapedeck('replay', join(fixtures, 'reconnect'), '--speed', 'max');
    const kinds = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, { reason?: string; code?: number }>);
    expect(kinds.filter(({ close }) => close?.code === 1006)).toHaveLength(2);
    expect(kinds.filter(({ gap }) => gap?.reason === 'disconnect').length).toBeGreaterThan(0);
  });

  it('torn: the killed recording is read to its last whole line and named for what it is', () => {
    const { status, verdicts } = verify('torn');
    expect(status).toBe(1);
    expect(codes(verdicts).sort()).toEqual(['E_TRUNCATED', 'NOT_SEALED']);
    expect(verdicts[0].messages).toBeGreaterThan(50);
  });

  it.each(tapes)('%s: replay and scan agree, from the file and through a pipe', (name) => {
    const tape = join(fixtures, name);
    const words = ['--format', 'json', '--warmup', '1s', '--baseline', '1m'];
    const direct = tapedeck('scan', tape, ...words);
    const piped = spawnSync(
      'sh',
      ['-c', '"$0" "$1" replay "$2" --speed max | "$0" "$1" scan - "$3" "$4" "$5" "$6" "$7" "$8"'].concat([
        process.execPath,
        join(root, 'bin/tapedeck.js'),
        tape,
        ...words,
      ]),
      { encoding: 'utf8' },
    );
    if (name !== 'full') expect(piped.stdout).toBe(direct.stdout);
    else expect(piped.stdout.split('\n').sort()).toEqual(direct.stdout.split('\n').sort());
    expect(direct.stderr).not.toMatch(/ at .*\.js:\d+/);
  });
});
