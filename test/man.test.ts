/** The manual pages in man/ are what man.ts makes of the declarations; `npm run man` renews them. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { commandManual, programManual } from '../src/man.js';
import { loadCommands, programName, programTitle } from '../src/program.js';

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
