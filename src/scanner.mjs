// How `npm run build` compiles the scanner: the loop in decode/assembly with the forms of every venue, to dist/decode/scanner.wasm.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { main as compile } from 'assemblyscript/asc';

const written = join(import.meta.dirname, 'decode/assembly');
const dist = join(import.meta.dirname, '../dist');
const { formsSource } = await import(join(dist, 'decode/assembly-source.js'));
const { venues } = await import(join(dist, 'venues/registry.js'));

/** The hand-written modules by the names they import each other by, and the generated one. */
const files = new Map(
  readdirSync(written).map((file) => [file.replace('.as.ts', '.ts'), readFileSync(join(written, file), 'utf8')]),
);
files.set(
  'forms.ts',
  formsSource([...new Set(venues.map(({ layouts }) => layouts))].filter(({ wrapper }) => wrapper !== undefined)),
);

const { error, stderr } = await compile(
  // the memory is the program's, which knows its size; its first kilobyte is left alone, the compiler's own data follow
  [
    'scan.ts',
    '--outFile',
    'scanner.wasm',
    '-O3',
    '--converge',
    '--noAssert',
    '--runtime',
    'stub',
    '--enable',
    'simd',
  ].concat(['--importMemory', '--memoryBase', '1024', '--use', 'abort=']),
  {
    readFile: (name) => files.get(name) ?? null,
    writeFile: (name, contents) => name === 'scanner.wasm' && writeFileSync(join(dist, 'decode', name), contents),
    listFiles: () => [],
  },
);
if (error !== null) throw new Error(`while compiling the scanner: ${stderr.toString()}`);
