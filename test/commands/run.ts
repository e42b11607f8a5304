/** Runs a command inside the test: what goes to stdout, what to stderr, and the exit status. */
import { PassThrough, Readable } from 'node:stream';
import { argumentKey, type Command, type CommandIo, takesValue } from '../../src/commands/command.js';
import { describeError, TapedeckError } from '../../src/model/errors.js';

export interface Result {
  status: number;
  stdout: string;
  stderr: string;
}

/** A world without terminal, clock and environment, but for what is given. */
export function createIo(world: Partial<CommandIo>): CommandIo {
  return {
    ...{ stdin: Readable.from([]), stdout: new PassThrough(), stderr: new PassThrough() },
    ...{ stdinIsTty: false, stdoutIsTty: false, stderrIsTty: false, columns: 80, colour: false, quiet: false },
    onHangup: () => {},
    ...{ signal: new AbortController().signal, now: () => 0, env: {}, version: '1.2.3', commands: async () => [] },
    ...world,
  };
}

/**
 * Runs a command with defaults filled in, as the program would.
 * @param failures thrown, or told as the program tells them: a line on stderr and status 2, and what was printed before stands
 */
export async function run(
  command: Command,
  given: Record<string, unknown>,
  stdin = '',
  world: Partial<CommandIo> = {},
  failures: 'thrown' | 'told' = 'thrown',
): Promise<Result> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const io = createIo({ stdin: Readable.from(stdin === '' ? [] : [Buffer.from(stdin)]), stdout, stderr, ...world });
  const args: Record<string, unknown> = {};
  for (const [name, option] of Object.entries(command.options)) {
    if (!takesValue(option)) continue;
    if (option.array) args[argumentKey(name)] = [];
    else if (option.default !== undefined) args[argumentKey(name)] = option.parse?.(option.default) ?? option.default;
  }
  // read as it comes: a command waits for a reader that is slow
  const collect = (stream: PassThrough): Buffer[] => {
    const parts: Buffer[] = [];
    stream.on('data', (part: Buffer) => parts.push(part));
    return parts;
  };
  const [out, err] = [collect(stdout), collect(stderr)];
  const status = await command.run({ ...args, ...given }, io).catch((error: unknown) => {
    if (failures === 'thrown' || !(error instanceof TapedeckError)) throw error;
    stderr.write(`${describeError(error)}\n`);
    return 2;
  });
  return { status, stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(err).toString() };
}
