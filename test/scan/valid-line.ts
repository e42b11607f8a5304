/** Holds printed lines against the JSON Schema that `scan --schema` prints. */
import { Ajv2020 } from 'ajv/dist/2020.js';
import { lineSchema } from '../../src/scan/schema.js';

// strict: an unknown keyword, or a type that is not said, is a fault of the schema
const ajv = new Ajv2020({ strict: true, strictTypes: true, allowUnionTypes: true, allErrors: true });
const validate = ajv.compile(lineSchema());

/** @throws where a line is not valid, with the line and what is wrong with it */
export function checkLine(line: string): void {
  if (validate(JSON.parse(line))) return;
  // the branches of the schema that are meant for other lines say nothing
  const { signal } = JSON.parse(line) as { signal?: string };
  const faults = (validate.errors ?? []).filter(({ schemaPath }) => {
    const branch = /#\/\$defs\/([^/]+)/.exec(schemaPath)?.[1];
    return branch === undefined || branch === 'signal' || branch === signal;
  });
  throw new Error(`${ajv.errorsText(faults, { dataVar: 'line' })}\n${line}`);
}
