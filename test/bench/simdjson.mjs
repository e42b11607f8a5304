// Builds the C++ peer where a compiler and the Debian headers are; nothing is installed.
import { join } from 'node:path';
import { run } from './measure.mjs';

const SOURCE = new URL('simdjson.cpp', import.meta.url).pathname;

/** @returns {Promise<string | null>} the program, or null after having said what is missing */
export async function buildSimdjson(folder, say) {
  const program = join(folder, 'simdjson');
  try {
    await run(`g++ -std=c++20 -O3 -march=native ${SOURCE} -o ${program} -lsimdjson -lzstd 2> ${folder}/g++.txt`);
    return program;
  } catch {
    say('C++ simdjson is not measured: it needs g++, libsimdjson-dev and libzstd-dev (Debian packages)');
    return null;
  }
}
