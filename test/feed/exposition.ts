/** A strict reader of Prometheus text: it takes what the format's description allows, and nothing else. */

export interface ReadFamily {
  type: string;
  help: string;
  samples: { name: string; labels: Record<string, string>; value: number }[];
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;

/** Families by name. @throws at the first thing that is not as it has to be */
export function readExposition(text: string): Map<string, ReadFamily> {
  if (!text.endsWith('\n')) throw new Error('the last line has no end');
  const families = new Map<string, ReadFamily>();
  let family: ReadFamily | null = null;
  let familyName = '';
  let help: [string, string] | null = null;
  const seen = new Set<string>();
  for (const line of text.slice(0, -1).split('\n')) {
    const comment = /^# (HELP|TYPE) (\S+) ([^\n]*)$/.exec(line);
    if (comment?.[1] === 'HELP') {
      if (help !== null) throw new Error(`no TYPE after ${help[0]}`);
      help = [comment[2], comment[3]];
      continue;
    }
    if (comment?.[1] === 'TYPE') {
      const [, , name, type] = comment;
      if (help?.[0] !== name || !NAME.test(name) || families.has(name)) throw new Error(`TYPE of ${name} out of place`);
      if (!/^(counter|gauge|summary)$/.test(type)) throw new Error(`type ${type}`);
      if ((type === 'counter') !== name.endsWith('_total')) throw new Error(`${name} is a ${type}`);
      family = { type, help: help[1], samples: [] };
      familyName = name;
      families.set(name, family);
      help = null;
      continue;
    }
    if (family === null || help !== null) throw new Error(`a sample out of place: ${line}`);
    const sample = readSample(line);
    const suffix = sample.name.slice(familyName.length);
    const fits = suffix === '' || (family.type === 'summary' && (suffix === '_sum' || suffix === '_count'));
    if (!sample.name.startsWith(familyName) || !fits) throw new Error(`${sample.name} in ${familyName}`);
    const key = JSON.stringify([sample.name, Object.entries(sample.labels).toSorted()]);
    if (seen.has(key)) throw new Error(`twice: ${key}`);
    seen.add(key);
    family.samples.push(sample);
  }
  return families;
}

function readSample(line: string): ReadFamily['samples'][number] {
  const name = /^[a-zA-Z_:][a-zA-Z0-9_:]*/.exec(line)?.[0];
  if (name === undefined) throw new Error(`no name: ${line}`);
  const labels: Record<string, string> = {};
  let at = name.length;
  if (line[at] === '{') {
    do {
      const label = /^[{,]([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\[\\"n])*)"/.exec(line.slice(at));
      if (label === null) throw new Error(`labels: ${line}`);
      labels[label[1]] = label[2].replace(/\\(.)/g, (_, sign: string) => (sign === 'n' ? '\n' : sign));
      at += label[0].length;
    } while (line[at] === ',');
    if (line[at++] !== '}') throw new Error(`labels have no end: ${line}`);
  }
  const value = /^ (-?\d+(?:\.\d+)?(?:e[+-]?\d+)?|NaN|[+-]Inf)$/.exec(line.slice(at))?.[1];
  if (value === undefined) throw new Error(`value: ${line}`);
  return { name, labels, value: Number(value.replace('Inf', 'Infinity')) };
}
