/** The manual pages in man/ are what man.ts and man-signals.ts make of the declarations; `npm run man` renews them. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { commandManual, programManual } from '../src/man.js';
import { signalsManual } from '../src/man-signals.js';
import { loadCommands, programName, programTitle } from '../src/program.js';
import { type FieldGroup, SIGNAL_FIELDS } from '../src/signals/fields.js';
import { presetNames } from '../src/signals/presets.js';
import { detectors } from '../src/signals/registry.js';

const packageJson = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
const manual = { program: programName, title: programTitle, version: packageJson.version };
const commands = await loadCommands();
const folder = new URL('../man/', import.meta.url).pathname;

describe('manual pages', () => {
  test('tapedeck(1) is up to date', async () => {
    await expect(programManual(manual, commands)).toMatchFileSnapshot(`${folder}tapedeck.1`);
  });

  test.each(commands.map((command) => [command.name, command] as const))(
    'tapedeck-%s(1) is up to date',
    async (name, command) => {
      await expect(commandManual(manual, command)).toMatchFileSnapshot(`${folder}tapedeck-${name}.1`);
    },
  );

  test('tapedeck-signals(5) is up to date', async () => {
    await expect(signalsManual(manual, detectors)).toMatchFileSnapshot(`${folder}tapedeck-signals.5`);
  });

  test('tapedeck-signals(5) has every field, parameter, reason and preset', () => {
    const page = signalsManual(manual, detectors);
    const named = (name: string): string => `\\fB${name.replaceAll('-', '\\-')}\\fR`;
    const section = (title: string): string => page.split(`.S${title}\n`)[1].split(/^\.S[HS] /m)[0];
    const missing = (text: string, names: Iterable<string>): string[] =>
      [...names].filter((name) => !text.includes(named(name)));
    expect(missing(section('H FIELDS'), Object.keys(SIGNAL_FIELDS))).toEqual([]);
    for (const [title, field] of Object.entries({ CONFIRM: 'confirm', CONTEXT: 'context', PLAN: 'plan' } as const)) {
      const { fields } = SIGNAL_FIELDS[field] as FieldGroup;
      expect(missing(section(`H ${title}`), Object.keys(fields))).toEqual([]);
    }
    expect(missing(section('H PRESETS'), presetNames)).toEqual([]);
    for (const { name, parameters, meaning } of detectors) {
      const { evidence, ends = {} } = meaning;
      const text = section(`S ${name.replaceAll('-', '\\-')}`);
      expect(missing(text, [parameters, evidence, ends].flatMap(Object.keys))).toEqual([]);
    }
  });

  test('a detector of points, of paragraphs and of odd words is printed as it is meant', () => {
    const page = signalsManual(manual, [
      {
        name: 'odd-one',
        summary: ".starts with a dot, 'and' ends -- so\\",
        doc: 'one "name"\ngoes on\n\n.two',
        needs: ['book'],
        parameters: {},
        meaning: { point: true, side: 'a', price: 'b', score: 'c', evidence: { 'a-b': { type: 'flag', doc: '.x' } } },
        check: () => null,
        weighs: () => null,
        lookback: () => 0,
        create: () => {
          throw new Error('not run');
        },
      },
    ]);
    expect(page).toContain(
      '.SS odd\\-one\n\\&.starts with a dot, \\(aqand\\(aq ends \\-\\- so\\e.\n.PP\none \\fBname\\fR goes on\n.PP\n\\&.two\n',
    );
    expect(page).toContain('Phases: point: one line, and no end.');
    expect(page).toContain('\\fBa\\-b\\fR\n\\&.x (true or false).');
  });

  test('no page is left over, and package.json installs every page', () => {
    const pages = readdirSync(folder).sort();
    const known = ['tapedeck.1', ...commands.map(({ name }) => `tapedeck-${name}.1`)];
    expect(pages.filter((page) => page.endsWith('.1'))).toEqual(known.sort());
    expect([...packageJson.man].sort()).toEqual(pages.map((page) => `./man/${page}`));
  });

  test('roff sees no control line where text was meant, and hyphens stay ASCII', () => {
    const page = commandManual(manual, {
      name: 'x',
      describe: "Print 'it' -- with \\n",
      positionals: {},
      options: { dot: { describe: '.hidden is shown' } },
      examples: [["x 'a' | jq .b", 'prints `b`']],
      details: "'quoted' start\n.dotted start\n\n  verbatim   -x\n  .second\n",
      run: async () => 0,
    });
    const texts = page.split('\n').filter((line) => !/^\.(TH|SH|nh|ad|TP|PP|RS|RE|nf|fi|B|BR)\b/.test(line));
    expect(texts.filter((line) => /^[.']/.test(line))).toEqual([]);
    expect(page).toContain('\\(aqquoted\\(aq start\n\\&.dotted start');
    expect(page).toContain('verbatim   \\-x\n\\&.second');
    expect(page).toContain('with \\en');
  });
});
