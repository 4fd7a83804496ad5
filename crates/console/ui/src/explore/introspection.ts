import { client } from '../gateway/client';

/** A type as a field or an argument names it, within what it is wrapped in. */
interface Reference {
  kind: string;
  name: string | null;
  ofType: Reference | null;
}

interface Value {
  name: string;
  description: string | null;
  type: Reference;
  defaultValue: string | null;
}

/** A type of the gateway's schema, as far as questions are made of it. */
export interface Type {
  name: string;
  kind: string;
  fields: { name: string; description: string | null; type: Reference; args: Value[] }[] | null;
  inputFields: Value[] | null;
  enumValues: { name: string }[] | null;
}

/** A field of the root. */
export interface Root {
  name: string;
  description: string | null;
  type: Reference;
  args: Value[];
}

const REFERENCE = 'kind name ofType { kind name ofType { kind name ofType { kind name } } }';
const VALUE = `name description defaultValue type { ${REFERENCE} }`;
const TYPE = `
  name kind
  fields { name description type { ${REFERENCE} } args { ${VALUE} } }
  inputFields { ${VALUE} }
  enumValues { name }
`;

const ROOTS = `
  query ExploreRoots {
    __schema { queryType { fields {
      name description type { ${REFERENCE} fields { name } } args { ${VALUE} }
    } } }
  }
`;

/** The name of a type without its wrapping. */
export function bare(reference: Reference): string {
  return reference.ofType ? bare(reference.ofType) : (reference.name ?? '');
}

export const isList = ({ kind, ofType }: Reference): boolean =>
  kind === 'LIST' || (kind === 'NON_NULL' && ofType?.kind === 'LIST');

export const isRequired = ({ type, defaultValue }: Value) => type.kind === 'NON_NULL' && defaultValue === null;

async function ask<Data>(query: string): Promise<Data> {
  const { data, error } = await client.query<Data>(query, {}, { requestPolicy: 'network-only' }).toPromise();
  if (!data) throw error ?? new Error('The gateway did not tell its schema.');
  return data;
}

interface Roots {
  __schema: { queryType: { fields: (Root & { type: Reference & { fields: { name: string }[] | null } })[] } };
}

let asked: Promise<Root[]> | undefined;

/** The fields of the root whose rows can be put into groups. The schema is the same for everybody, and asked for once. */
export function roots(): Promise<Root[]> {
  asked ??= ask<Roots>(ROOTS).then(({ __schema }) =>
    __schema.queryType.fields.filter(
      ({ type, args }) => type.fields?.some(({ name }) => name === 'groups') && !args.some(isRequired),
    ),
  );
  asked.catch(() => (asked = undefined));
  return asked;
}

const known = new Map<string, Type>();

/** How many types are asked for in a request: the gateway allows a document 2,000 fields, and each of these takes some seventy. */
const TOGETHER = 25;

/** These types by their names, those that are not known yet in as few requests as may be. */
export async function types(names: Iterable<string>): Promise<(name: string) => Type> {
  const missing = [...new Set(names)].filter((name) => !known.has(name));
  const parts = Array.from({ length: Math.ceil(missing.length / TOGETHER) }, (_, part) =>
    missing.slice(part * TOGETHER, (part + 1) * TOGETHER),
  );
  await Promise.all(
    parts.map(async (names) => {
      const aliases = names.map((name, at) => `t${at}: __type(name: "${name}") { ${TYPE} }`);
      const told = await ask<Record<string, Type | null>>(`query ExploreTypes { ${aliases.join(' ')} }`);
      names.forEach((name, at) => told[`t${at}`] && known.set(name, told[`t${at}`]!));
    }),
  );
  return (name) => {
    const type = known.get(name);
    if (!type) throw new Error(`The gateway does not know the type ${name}.`);
    return type;
  };
}
