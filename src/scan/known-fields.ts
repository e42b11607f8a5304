/** What `--where` knows of the fields of signals, so that a comparison that can never hold is refused. */
import type { EvidenceField } from '../signals/detector.js';
import { type Field, RECORD, SIGNAL_FIELDS } from '../signals/fields.js';
import { detectors } from '../signals/registry.js';

export type Kind = 'a number' | 'a text' | 'true or false' | 'a group of fields';

export interface KnownField {
  /** null: it depends on the detector */
  kind: Kind | null;
  /** of a text: all it may be */
  choices?: readonly string[];
  /** of a group */
  fields?: Readonly<Record<string, KnownField>>;
}

/** The fields of a line by name. */
export function knownFields(): Readonly<Record<string, KnownField>> {
  const fields = Object.entries(SIGNAL_FIELDS).map(([name, field]) => [name, known(field)] as const);
  return {
    ...Object.fromEntries(fields),
    signal: { kind: 'a text', choices: detectors.map(({ name }) => name) },
    evidence: { kind: 'a group of fields', fields: evidenceOfAll() },
  };
}

export function kindOf(value: unknown): Kind | null {
  if (typeof value === 'number') return 'a number';
  if (typeof value === 'string') return 'a text';
  return typeof value === 'boolean' ? 'true or false' : null;
}

function known(field: Field): KnownField {
  if (field.type !== 'group') return knownValue(field);
  const fields = Object.entries(field.fields).map(([name, one]) => [name, known(one)] as const);
  return { kind: 'a group of fields', fields: Object.fromEntries(fields) };
}

function knownValue({ type, choices }: EvidenceField): KnownField {
  if (type === 'flag') return { kind: 'true or false' };
  if (type !== 'text') return { kind: 'a number' };
  return choices === undefined ? { kind: 'a text' } : { kind: 'a text', choices };
}

/** Detectors may use one name for different things. */
function evidenceOfAll(): Record<string, KnownField> {
  const all: Record<string, KnownField> = {};
  for (const evidence of [RECORD, ...detectors.map(({ meaning }) => meaning.evidence)])
    for (const [name, field] of Object.entries<EvidenceField>(evidence))
      all[name] = Object.hasOwn(all, name) ? either(all[name], knownValue(field)) : knownValue(field);
  return all;
}

function either(a: KnownField, b: KnownField): KnownField {
  if (a.kind !== b.kind) return { kind: null };
  if (a.choices === undefined || b.choices === undefined) return { kind: a.kind };
  return { kind: a.kind, choices: [...new Set([...a.choices, ...b.choices])] };
}
