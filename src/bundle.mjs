// How `npm run build` joins the program into few files: a start that loads a hundred modules takes three times as long.
import { copyFileSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { rolldown } from 'rolldown';

const src = import.meta.dirname;
const dist = join(src, '../dist');
const bundle = join(dist, 'bundle');

/** What Node starts by itself: the program, and threads, whose file is always called worker.ts. */
const entries = readdirSync(src, { recursive: true }).filter((file) => file === 'cli.ts' || /\/worker\.ts$/.test(file));
const chunkOf = (entry) => entry.replace(/\.ts$/, '').replaceAll('/', '-');

/** A file of the program moves into another when it is bundled, and `import.meta.url` must go on to mean its own place. */
const ownPlaces = {
  name: 'own-places',
  transform(code, id) {
    if (!id.startsWith(src) || !code.includes('import.meta.url')) return null;
    const place = join('..', relative(src, id)).replace(/\.ts$/, '.js');
    return code.replaceAll('import.meta.url', `require("node:url").pathToFileURL(__dirname + "/${place}").href`);
  },
};

/**
 * Parts of Node that most runs of most commands call nothing of: a start is a few milliseconds shorter without them. What is
 * imported of them must be functions.
 */
const lateBuiltins = {
  name: 'late-builtins',
  renderChunk: (code) =>
    code
      .replace(/^let node_(crypto|zlib) = require\("node:\1"\);\n/gm, '')
      .replace(/\bnode_(crypto|zlib)\./g, 'require("node:$1").'),
};

/** One character beyond Latin makes V8 keep and read all of a file in two bytes a character; in legal comments they may be escaped too. */
const asciiOnly = {
  name: 'ascii-only',
  // the very last step: strings are printed anew before it
  generateBundle(_options, bundle) {
    const escaped = (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
    for (const chunk of Object.values(bundle)) chunk.code = chunk.code?.replace(/[^\0-\x7f]/g, escaped);
  },
};

/**
 * What several commands share, in three files: left to itself, the bundler makes a file of each handful of modules, and a scan
 * that loads forty of them starts a tenth later.
 */
const shared = [
  // records, books and signals are for who decodes, and no start needs them
  {
    name: 'core',
    test: /src\/(model\/(?!event|book-room|id-ranges|signal)|output\/(?!log-line)|commands\/command)/,
    minShareCount: 2,
  },
  { name: 'tape', test: /src\/(tape|decode|model)\//, minShareCount: 3 },
  { name: 'market', test: /src\/(market|signals|scan)\//, minShareCount: 2 },
];

/** Their licences ask that the texts come along with the bundled packages. */
const licences = {
  name: 'licences',
  generateBundle(_options, bundle) {
    const folders = new Set();
    for (const { moduleIds = [] } of Object.values(bundle))
      for (const id of moduleIds) {
        const folder = /^\0?(.*\/node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(id)?.[1];
        if (folder !== undefined) folders.add(folder);
      }
    const texts = [...folders].sort().map((folder) => {
      const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
      const file = readdirSync(folder).find((member) => /^licen[sc]e/i.test(member));
      if (file === undefined) throw new Error(`${name} has no licence text`);
      return `${name} ${version} (${license})\n\n${readFileSync(join(folder, file), 'utf8').trim()}\n`;
    });
    this.emitFile({ type: 'asset', fileName: 'LICENSES.txt', source: texts.join(`\n${'-'.repeat(72)}\n\n`) });
  },
};

// code kept of chunks that are no more, or were others, must not stay
rmSync(bundle, { recursive: true, force: true });
const build = await rolldown({
  input: Object.fromEntries(entries.map((file) => [chunkOf(file), join(src, file)])),
  platform: 'node',
  preserveEntrySignatures: 'strict',
  // native; loaded with the first frame
  external: /^zstd-napi/,
  plugins: [ownPlaces, lateBuiltins, asciiOnly, licences],
  treeshake: {
    // of yargs/helpers the parser is used; the rest would be kept for what it does when loaded
    moduleSideEffects: [
      { test: /\/node_modules\/(yargs|cliui|y18n|string-width|escalade|get-caller-file)\//, sideEffects: false },
    ],
  },
});
await build.write({
  dir: bundle,
  // V8 takes kept code for scripts alone, not for modules
  format: 'cjs',
  entryFileNames: '[name].cjs',
  chunkFileNames: '[name].cjs',
  codeSplitting: { groups: shared },
  // minified it starts no faster (2.2 against 2.3 times `node -e 0`, within noise), and traces would say nothing
  comments: { legal: true, annotation: false, jsdoc: false },
});
await build.close();
copyFileSync(join(src, 'chunks.cjs'), join(bundle, 'chunks.cjs'));
// a thread is started by the name of its compiled file
for (const entry of entries.filter((file) => file !== 'cli.ts'))
  writeFileSync(
    join(dist, entry.replace(/\.ts$/, '.js')),
    `import chunks from '../bundle/chunks.cjs';\n\nchunks.load('${chunkOf(entry)}.cjs');\n`,
  );
