// Installs the clients from their lock file into their own folder, where that is missing or old, then checks types and runs the tests.
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const FOLDER = new URL('.', import.meta.url).pathname;
const LOCK = join(FOLDER, 'package-lock.json');
const INSTALLED = join(FOLDER, 'node_modules/.installed.json');

function run(command, args) {
  const { status, error } = spawnSync(command, args, { stdio: 'inherit' });
  if (error !== undefined) throw error;
  if (status !== 0) process.exit(status ?? 1);
}

if (!existsSync(INSTALLED) || readFileSync(INSTALLED, 'utf8') !== readFileSync(LOCK, 'utf8')) {
  run('npm', ['ci', '--prefix', FOLDER, '--ignore-scripts', '--no-audit', '--no-fund']);
  copyFileSync(LOCK, INSTALLED);
}
run('tsc', ['-p', FOLDER]);
run('vitest', ['run', '--config', join(FOLDER, 'vitest.config.ts'), ...process.argv.slice(2)]);
