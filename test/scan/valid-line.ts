/** Holds printed lines against the JSON Schema that `scan --schema` prints. */
import { Ajv2020 } from 'ajv/dist/2020.js';
import { lineSchema } from '../../src/scan/schema.js';

// strict: an unknown keyword, or a type that is not said, is a fault of the schema
const strict = { strict: true, strictTypes: true, allowUnionTypes: true };
const passes = new Ajv2020(strict).compile(lineSchema());

/** @throws where a line is not valid, with the line and what is wrong with it */
export function checkLine(line: string): void {
  const parsed = JSON.parse(line) as { signal?: string };
  if (!passes(parsed)) throw new Error(`${faultsOf(parsed)}\n${line}`);
}

/** All that is wrong: of every line, the faults by the branches that are meant for others take eight times as long. */
function faultsOf(parsed: { signal?: string }): string {
  const ajv = new Ajv2020({ ...strict, allErrors: true });
  const validate = ajv.compile(lineSchema());
  validate(parsed);
  const faults = (validate.errors ?? []).filter(({ schemaPath }) => {
    const branch = /#\/\$defs\/([^/]+)/.exec(schemaPath)?.[1];
    return branch === undefined || branch === 'signal' || branch === parsed.signal;
  });
  return ajv.errorsText(faults, { dataVar: 'line' });
}
