/** `--where`: conditions on the fields of a signal line. jsep reads them, this file says what they mean; nothing is evaluated as code. */
import jsep from 'jsep';
import { TapedeckError } from '../model/errors.js';
import { didYouMean } from '../model/nearest.js';
import type { Signal } from '../model/signal.js';
import { type KnownField, kindOf, knownFields } from './known-fields.js';

type Test = (a: unknown, b: unknown) => boolean;

const TESTS: Readonly<Record<string, Test>> = {
  '==': (a, b) => a === b,
  '!=': (a, b) => a !== b,
  '<': ordered((a, b) => a < b),
  '<=': ordered((a, b) => a <= b),
  '>': ordered((a, b) => a > b),
  '>=': ordered((a, b) => a >= b),
};
const AND = ['&&', 'and'];
const OR = ['||', 'or'];
const NOT = ['!', 'not'];

// the language: what else jsep knows is taken out of its tables, so that it is refused where it stands
jsep.removeAllBinaryOps();
jsep.removeAllUnaryOps();
for (const [precedence, words] of [OR, AND, ['==', '!=', 'in'], ['<', '<=', '>', '>=']].entries())
  for (const word of words) jsep.addBinaryOp(word, precedence + 1);
for (const word of [...NOT, '-']) jsep.addUnaryOp(word);

/** Where each token of the expression begins: jsep does not say, and a refusal has to point somewhere. */
const places = new WeakMap<jsep.Expression, number>();
let entered = -1;
jsep.hooks.add('gobble-token', function (env) {
  const at = this.index;
  // the second time at one place is the call below
  if (at === entered) return;
  entered = at;
  const node = this.gobbleToken();
  entered = -1;
  if (node) {
    places.set(node, at);
    env.node = node;
  }
});

/** Longer ones are no work of a person, and their nesting would fill the stack. */
const LONGEST = 4000;
const LINE = knownFields();
const EQUALITY = 'equality is ==';
const NO_ARITHMETIC = 'there is no arithmetic, and text stands in quotes';

export interface Where {
  passes(signal: Signal): boolean;
  /** fields that no signal has, in sentences for people */
  notes: readonly string[];
}

type Read = (signal: Signal) => unknown;

/**
 * Reads an expression such as `signal == 'absorption' && evidence.volume > 10 && side in ['buy']`.
 * @throws {TapedeckError} E_CONFIG with the place in the expression
 */
export function parseWhere(text: string): Where {
  const reader = new Reader(text);
  const test = reader.condition(reader.parse());
  return { passes: (signal) => holds(test(signal)), notes: reader.notes };
}

/** A field alone is a question whether it is there: null and false mean no. */
const holds = (value: unknown): boolean => value !== null && value !== false;

/** Numbers are ordered, and so are texts; a number and a text are not, and nothing is with null. */
function ordered(test: (a: number | string, b: number | string) => boolean): Test {
  return (a, b) =>
    ((typeof a === 'number' && typeof b === 'number') || (typeof a === 'string' && typeof b === 'string')) &&
    test(a, b);
}

class Reader {
  readonly notes: string[] = [];
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
    if (text.length > LONGEST) throw new TapedeckError('E_CONFIG', `where: longer than ${LONGEST} characters`);
  }

  parse(): jsep.Expression {
    entered = -1;
    let node: jsep.Expression;
    try {
      node = jsep(this.#text);
    } catch (error) {
      if (error instanceof RangeError) return this.#refuse(0, 'nested too deep');
      const { index, description } = error as { index?: number; description?: string };
      if (index === undefined || description === undefined) throw error;
      if (this.#isDot(index - 1)) return this.#refuse(index - 1, 'fields have no dot in front');
      return this.#refuse(index, this.#inWords(description, index));
    }
    if (node.type !== 'Compound') return node;
    const [first, second] = (node as jsep.Compound).body;
    if (first === undefined) return this.#refuse(0, 'a condition is missing');
    const at = this.#placeOf(second);
    const rest = this.#text.slice(at).trim();
    // jsep takes a word for an operator where something follows
    if ([...AND, ...OR, 'in'].includes(rest))
      return this.#refuse(this.#text.length, `a value is missing after ${rest}`);
    if (rest.startsWith('-')) return this.#refuse(at, NO_ARITHMETIC);
    return this.#refuse(at, '&& or || is missing between two conditions');
  }

  /** A dot that stands behind nothing. */
  #isDot(at: number): boolean {
    return this.#text[at] === '.' && !/[\w)\]]/.test(this.#text[at - 1] ?? '');
  }

  /** A refusal of jsep in the words of this tool, with what was probably meant. */
  #inWords(description: string, index: number): string {
    const found = this.#text.slice(index, index + 1);
    const missing = /^Expected expression after (.+)$/.exec(description);
    if (missing !== null) return found === '=' ? EQUALITY : `a value is missing after ${missing[1]}`;
    if (description.startsWith('missing unaryOp'))
      return `a value is missing after ${this.#text.slice(0, index).trim()}`;
    if (description.startsWith('Unclosed quote')) return 'a quote is not closed';
    if (description.startsWith('Variable names')) return 'a number goes on as text; text stands in quotes';
    if (!description.startsWith('Unexpected')) return `${description[0].toLowerCase()}${description.slice(1)}`;
    if (found === '') return 'something is missing';
    const hints: Record<string, string> = {
      '=': `; ${EQUALITY}`,
      '&': '; write &&',
      '|': '; write ||',
      '+': `; ${NO_ARITHMETIC}`,
      '*': `; ${NO_ARITHMETIC}`,
      '/': `; ${NO_ARITHMETIC}`,
    };
    return `unexpected '${found}'${hints[found] ?? ''}`;
  }

  /** What is true or not of a signal. */
  condition(expression: jsep.Expression): Read {
    const node = expression as jsep.CoreExpression;
    if (node.type === 'UnaryExpression' && NOT.includes(node.operator)) {
      const test = this.condition(node.argument);
      return (signal) => !holds(test(signal));
    }
    if (node.type === 'BinaryExpression') {
      const both = AND.includes(node.operator);
      if (!both && !OR.includes(node.operator)) return this.#comparison(node);
      const [left, right] = [this.condition(node.left), this.condition(node.right)];
      if (both) return (signal) => holds(left(signal)) && holds(right(signal));
      return (signal) => holds(left(signal)) || holds(right(signal));
    }
    const { at, read, value } = this.#operand(node);
    if (value === undefined || typeof value === 'boolean') return read;
    return this.#refuse(at, `${JSON.stringify(value)} alone is no condition; compare it with something`);
  }

  #comparison({ operator, left, right }: jsep.BinaryExpression): Read {
    if (operator === 'in') return this.#membership(left, right);
    const [a, b] = [this.#operand(left), this.#operand(right)];
    const exact = operator === '==' || operator === '!=';
    this.#compatible(a, b, exact);
    this.#compatible(b, a, exact);
    const test = TESTS[operator];
    return (signal) => test(a.read(signal), b.read(signal));
  }

  #membership(left: jsep.Expression, right: jsep.Expression): Read {
    const a = this.#operand(left);
    const list = right as jsep.CoreExpression;
    if (list.type !== 'ArrayExpression')
      return this.#refuse(this.#placeOf(right), "behind 'in' stands a list: ['buy', 'sell']");
    const values = list.elements.map((element) => {
      const one = element === null ? null : this.#operand(element);
      if (one === null || one.value === undefined)
        return this.#refuse(this.#placeOf(element ?? right), 'a list holds numbers and texts');
      this.#compatible(a, one, true);
      return one.value;
    });
    return (signal) => values.some((value) => value === a.read(signal));
  }

  /** A field or a value. */
  #operand(expression: jsep.Expression): Operand {
    const node = expression as jsep.CoreExpression;
    const at = this.#placeOf(node);
    if (node.type === 'Literal' && !(node.value instanceof RegExp)) return literal(at, node.value);
    if (node.type === 'UnaryExpression' && node.operator === '-') {
      const { value } = this.#operand(node.argument);
      if (typeof value === 'number') return literal(at, -value);
      return this.#refuse(at, '- stands before a number only');
    }
    const path = pathOf(node);
    if (path !== null) return { at, name: path.join('.'), field: this.#field(path, at), read: reading(path) };
    if (node.type === 'UnaryExpression')
      return this.#refuse(
        at,
        `${node.operator} denies what stands next to it; put the comparison in parentheses: !(a == b)`,
      );
    if (node.type === 'BinaryExpression')
      return this.#refuse(at, 'a comparison has two sides; join several by && or ||');
    if (node.type === 'SequenceExpression') return this.#refuse(at, "a list stands in brackets, behind 'in'");
    if (node.type === 'CallExpression') return this.#refuse(at, 'there are no functions');
    if (node.type === 'MemberExpression') return this.#refuse(at, 'names are joined by dots, as evidence.volume');
    return this.#refuse(at, 'a field or a value is missing');
  }

  /** What is known of a field; where no signal has it, it may be anything. */
  #field(path: readonly string[], at: number): KnownField {
    const [first, ...rest] = path;
    const names = Object.keys(LINE);
    if (!names.includes(first)) {
      const hint = didYouMean(first, names) || '; text stands in quotes';
      return this.#refuse(at, `no field '${first}'${hint}; there are ${names.join(', ')}`);
    }
    let field = LINE[first];
    let name = first;
    for (const part of rest) {
      const { fields } = field;
      if (fields === undefined) return this.#refuse(at, `${name} has no fields`);
      if (!Object.hasOwn(fields, part)) {
        this.notes.push(`where: no signal has ${name}.${part}${didYouMean(part, Object.keys(fields))}`);
        return { kind: null };
      }
      field = fields[part];
      name += `.${part}`;
    }
    return field;
  }

  /** Refuses what can never hold: another kind of value, and a text that the field never has. */
  #compatible({ name, field }: Operand, { at, value }: Operand, exact: boolean): void {
    const kind = kindOf(value);
    if (field === undefined || field.kind === null || kind === null) return;
    if (field.kind !== kind) this.#refuse(at, `${name} is ${field.kind}, and this is ${kind}`);
    if (!exact || field.choices === undefined || typeof value !== 'string' || field.choices.includes(value)) return;
    const { choices } = field;
    this.#refuse(at, `${name} is never '${value}'${didYouMean(value, choices)}; it may be ${choices.join(', ')}`);
  }

  #placeOf(expression: jsep.Expression): number {
    const node = expression as jsep.CoreExpression;
    const at = places.get(node);
    if (at !== undefined) return at;
    return node.type === 'BinaryExpression' ? this.#placeOf(node.left) : 0;
  }

  #refuse(at: number, message: string): never {
    const rest = this.#text.slice(at);
    const place =
      rest.trim() === ''
        ? 'at its end'
        : `at character ${at + 1}: ${rest.length > 24 ? `${rest.slice(0, 23)}…` : rest}`;
    throw new TapedeckError('E_CONFIG', `where: ${message} (${place})`);
  }
}

/** One side of a comparison. */
interface Operand {
  at: number;
  read: Read;
  /** of a field */
  name?: string;
  field?: KnownField;
  /** of a literal; undefined: it is none */
  value?: Literal;
}

type Literal = number | string | boolean | null;

const literal = (at: number, value: Literal): Operand => ({ at, value, read: () => value });

/** `['evidence', 'size']`; null where it is no field. */
function pathOf(expression: jsep.Expression): string[] | null {
  const node = expression as jsep.CoreExpression;
  if (node.type === 'Identifier') return [node.name];
  if (node.type !== 'MemberExpression' || node.computed) return null;
  const before = pathOf(node.object);
  const last = node.property as jsep.CoreExpression;
  return before === null || last.type !== 'Identifier' ? null : [...before, last.name];
}

/** The value at a path; null where it is absent. */
function reading(path: readonly string[]): Read {
  return (signal) => {
    let value: unknown = signal;
    for (const part of path) {
      if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return null;
      value = (value as Record<string, unknown>)[part];
    }
    return value ?? null;
  };
}
