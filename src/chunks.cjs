// Runs the bundled program: its chunks by name, each compiled with what V8 kept of an earlier run (its code cache) where that fits.
const { readFileSync } = require('node:fs');
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
  // kept by another Node, or with other flags, as all of it is then: Node loads the program, and may keep code of its own
  if (loaded.size === 0 && script.cachedDataRejected) return require(filename);
  const module = { exports: {} };
  loaded.set(name, { module, script });
  script.runInThisContext()(module.exports, need, module, filename, __dirname);
  return module.exports;
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
