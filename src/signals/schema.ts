/** The JSON Schema of a signal line, made from what its fields and the detectors say of themselves. */
import { oneLine } from './describe.js';
import type { Detector, EvidenceField } from './detector.js';
import { COMMON_ENDS, type Field, type FieldGroup, RECORD, SIGNAL_FIELDS } from './fields.js';

/** Part of a JSON Schema. */
export type Schema = Readonly<Record<string, unknown>>;

/** What a JSON Schema holds of a signal, and, to be put beside it as `$defs`, of each detector's signals. */
export interface SignalSchemas {
  signal: Schema;
  /** by name */
  detectors: Record<string, Schema>;
}

const object = { type: 'object' } as const;

/** @param refer where a detector's schema will stand: `#/$defs/NAME` */
export function signalSchemas(detectors: readonly Detector[], refer: (name: string) => string): SignalSchemas {
  const names = detectors.map(({ name }) => name);
  const { time, signal, id, ...fields } = SIGNAL_FIELDS;
  const line = groupSchema({ type: 'group', doc: 'one line of scan --format json', closed: true, fields });
  const properties = {
    time: { ...fieldSchema(time), pattern: '^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}\\.\\d{6}Z$' },
    signal: { ...fieldSchema(signal), enum: names },
    id: { ...fieldSchema(id), pattern: '^[0-9a-f]{16}$' },
  };
  return {
    signal: {
      ...line,
      properties: { ...properties, ...line.properties },
      required: [...Object.keys(properties), ...line.required],
      allOf: [
        { oneOf: names.map((name) => ({ $ref: refer(name) })) },
        {
          oneOf: [
            { ...object, properties: { phase: { const: 'end' } }, required: ['reason'] },
            { ...object, properties: { phase: { not: { const: 'end' } }, reason: false } },
          ],
        },
      ],
    },
    detectors: Object.fromEntries(detectors.map((detector) => [detector.name, detectorSchema(detector)])),
  };
}

/** What is different in the signals of one detector. */
function detectorSchema({ name, summary, meaning }: Detector): Schema {
  const { side, price, score, evidence, ends = {}, point = false } = meaning;
  return {
    ...object,
    description: summary,
    properties: {
      signal: { const: name },
      // what is learned of a point's aggression later comes as an update
      phase: { enum: point ? ['point', 'update'] : ['onset', 'update', 'end'] },
      reason: point ? false : { enum: [...Object.keys(ends), ...Object.keys(COMMON_ENDS)] },
      side: { description: oneLine(side) },
      price: { description: oneLine(price) },
      score: { description: oneLine(score) },
      evidence: groupSchema({
        type: 'group',
        doc: 'what the rule used',
        closed: true,
        fields: { ...evidence, ...RECORD },
      }),
    },
  };
}

interface ObjectSchema extends Schema {
  properties: Record<string, Schema>;
  required: string[];
}

function groupSchema({ doc, fields, closed }: FieldGroup): ObjectSchema {
  const entries = Object.entries(fields);
  return {
    ...object,
    description: oneLine(doc),
    properties: Object.fromEntries(entries.map(([name, field]) => [name, fieldSchema(field)])),
    required: entries.filter(([, { optional }]) => optional !== true).map(([name]) => name),
    ...(closed ? { additionalProperties: false } : {}),
  };
}

function fieldSchema(field: Field): Schema {
  if (field.type === 'group') return groupSchema(field);
  const { type, choices, nullable = false, doc } = field;
  const own = typeOf(type);
  return {
    type: nullable ? [own, 'null'] : own,
    ...(choices === undefined ? {} : { enum: nullable ? [...choices, null] : choices }),
    description: oneLine(doc),
  };
}

function typeOf(type: EvidenceField['type']): string {
  if (type === 'text') return 'string';
  if (type === 'flag') return 'boolean';
  return type === 'count' || type === 'time' ? 'integer' : 'number';
}
