// Runs the bundled program: its chunks by name, each compiled with what V8 kept of an earlier run (its code cache) where that fits.
const { readFileSync } = require('node:fs');
const { enableCompileCache } = require('node:module');
const { join } = require('node:path');
const { Script } = require('node:vm');

/** What is loaded, by file name; `script` is for who keeps the code. */
const loaded = new Map();

/** The exports of a chunk; as with `require`, what there is so far where chunks load each other. */
function load(name) {
  const known = loaded.get(name);
  if (known !== undefined) return known.module.exports;
  const filename = join(__dirname, name);
  // on the first line, so that places in errors are those of the file
  const source = `(function (exports, require, module, __filename, __dirname) {${readFileSync(filename, 'utf8')}\n})`;
  const cachedData = keptCode(filename);
  const script = new Script(source, { filename, ...(cachedData === null ? {} : { cachedData }) });
  if (loaded.size === 0 && script.cachedDataRejected) return loadAnew(filename);
  const module = { exports: {} };
  loaded.set(name, { module, script });
  script.runInThisContext()(module.exports, need, module, filename, __dirname);
  return module.exports;
}

/**
 * What was kept by another Node, or with other flags, is of no use, as all of it then: Node loads the program by itself, and from Node 22
 * on keeps code of its own (in the temporary directory, as NODE_COMPILE_CACHE and NODE_DISABLE_COMPILE_CACHE tell it).
 */
function loadAnew(filename) {
  enableCompileCache?.();
  return require(filename);
}

function need(id) {
  return id.startsWith('./') ? load(id.slice(2)) : require(id);
}

function keptCode(filename) {
  try {
    return readFileSync(`${filename}.code`);
  } catch {
    return null;
  }
}

module.exports = { load, loaded };
