// Builds the C++ peer where a compiler and the Debian headers are; nothing is installed.
import { join } from 'node:path';
import { run } from './measure.mjs';

const SOURCE = new URL('simdjson.cpp', import.meta.url).pathname;

/** @returns {Promise<string | null>} the program, or null after having told `missing` */
export async function buildSimdjson(folder, missing) {
  const program = join(folder, 'simdjson');
  try {
    await run(`g++ -std=c++20 -O3 -march=native ${SOURCE} -o ${program} -lsimdjson -lzstd 2> ${folder}/g++.txt`);
    return program;
  } catch {
    missing('C++ simdjson is not measured: it needs the Debian packages g++, libsimdjson-dev and libzstd-dev.');
    return null;
  }
}
