// Operations over the schema, right and wrong, each with graphql-js's verdict: the reference that the gateway is held to.
//
//   node judge.mjs schema.graphql SEED COUNT
//   node judge.mjs schema.graphql introspect < operation.graphql    what graphql-js answers
//
// One JSON object a line: { query, operationName, variables, verdict, coerced?, message? }, where verdict is `accepted`, or what
// refused it: `syntax`, `validation`, `operation`, `variables`.
import { readFileSync } from 'node:fs';
import {
  GraphQLError, Kind, buildSchema, getNamedType, getNullableType, getVariableValues, graphqlSync, isCompositeType, isEnumType,
  isInputObjectType, isInterfaceType, isLeafType, isListType, isNonNullType, isObjectType, isRequiredArgument,
  isRequiredInputField, parse, print, recommendedRules, specifiedRules, validate, valueFromASTUntyped, visit,
} from 'graphql';

const [path, seed, count] = process.argv.slice(2);
const schema = buildSchema(readFileSync(path, 'utf8'));

if (seed === 'introspect') {
  const answer = JSON.stringify(graphqlSync({ schema, source: readFileSync(0, 'utf8') }));
  await new Promise((done) => process.stdout.write(answer, done));
  process.exit(0);
}

// ---- chance, the same for the same seed (mulberry32)
let state = Number(seed) >>> 0;
function random() {
  state = (state + 0x6d2b79f5) >>> 0;
  let t = state;
  t = Math.imul(t ^ (t >>> 15), t | 1);
  t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
}
const below = (n) => Math.floor(random() * n);
const chance = (p) => random() < p;
const pick = (list) => list[below(list.length)];

// ---- the scalars that are the schema's own, as the descriptions in the schema say they are
const days = (year, month) => new Date(Date.UTC(2000 + (year % 400), month, 0)).getUTCDate();
const isDate = (text) => {
  const found = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text);
  if (!found) return false;
  const [year, month, day] = found.slice(1).map(Number);
  return year >= 1 && month >= 1 && month <= 12 && day >= 1 && day <= days(year, month);
};
const isMoment = (text) => {
  const found = /^(\d{4}-\d{2}-\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(\.\d+)?([Zz]|[+-](\d{2}):(\d{2}))$/.exec(text);
  return found && isDate(found[1]) && +found[2] < 24 && +found[3] < 60 && +found[4] < 60
    && (found[7] === undefined || (+found[7] < 24 && +found[8] < 60));
};
const scalars = {
  UUID: { is: (text) => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text), numbers: false },
  Decimal: { is: (text) => /^-?\d{1,28}(\.\d{1,6})?([eE][+-]?\d{1,2})?$/.test(text), numbers: true },
  BigInt: { is: (text) => /^-?\d{1,18}$/.test(text), numbers: true },
  Date: { is: isDate, numbers: false },
  DateTime: { is: isMoment, numbers: false },
};
for (const [name, { is, numbers }] of Object.entries(scalars)) {
  const type = schema.getType(name);
  const take = (value) => {
    const text = typeof value === 'number' && numbers ? String(value) : value;
    if (typeof text !== 'string' || !is(text)) throw new GraphQLError(`no ${name}: ${JSON.stringify(value)}`);
    return value;
  };
  type.parseValue = take;
  type.parseLiteral = (node) => {
    if (node.kind === Kind.STRING) return take(node.value);
    if (numbers && (node.kind === Kind.INT || node.kind === Kind.FLOAT)) {
      if (!is(node.value)) throw new GraphQLError(`no ${name}`);
      return Number(node.value);
    }
    throw new GraphQLError(`no ${name}`);
  };
}
// As graphql-js has it for scalars of which nothing is known; written out for its variables.
schema.getType('JSON').parseLiteral = (node, variables) => {
  // JSON has no infinity: a number is itself or refused.
  visit(node, { FloatValue: ({ value }) => { if (!Number.isFinite(Number(value))) throw new GraphQLError(`no JSON: ${value}`); } });
  return valueFromASTUntyped(node, variables);
};

// ---- generating operations that are right, mostly
const samples = {
  Int: () => String(pick([0, 1, 2, 7, 20, -1, 500, 2147483647, -2147483648])),
  Float: () => pick(['0', '1.5', '-2.25', '1e3', '7']),
  String: () => JSON.stringify(pick(['', 'a', 'open', 'x y', 'é😀', 'a"b', 'back\\slash', 'NEGOTIATION', '%_'])),
  Boolean: () => pick(['true', 'false']),
  ID: () => pick(['"RGVhbA"', '"4"', '4', '""']),
  UUID: () => `"0193${below(10)}2d0-3c5a-7b6e-8f00-0242ac12000${below(10)}"`,
  Decimal: () => pick(['"1.50"', '"-3"', '12', '0.25', '"1000000.01"']),
  BigInt: () => pick(['"12"', '7', '"-9007199254740993"']),
  Date: () => pick(['"2026-11-22"', '"2024-02-29"', '"1999-01-01"']),
  DateTime: () => pick(['"2026-11-22T09:30:00Z"', '"2026-11-22T09:30:00.123456+02:00"']),
  JSON: () => pick(['{ a: 1, b: [true, null] }', '"text"', '[1, 2.5]', '7', '{}', 'false', 'WORD']),
};
const wrong = () => pick(['1', '1.5', '"x"', 'true', 'WORD', '[]', '{}', '[[1]]', '{ a: 1 }', 'null', '"2026-13-01"',
  '99999999999', '"""block"""', '[null]', '-0', '"12"', '1e400', '"NEGOTIATION"']);

let variables; // name → { type, json, default }
let fragments; // texts
let names;
const fresh = (prefix) => `${prefix}${names++}`;

function variable(type, where) {
  const name = fresh('v');
  let text = String(type);
  // A type that fits as well, or sometimes not.
  if (chance(0.3) && !text.endsWith('!')) text += '!';
  else if (chance(0.05) && text.endsWith('!')) text = text.slice(0, -1);
  else if (chance(0.02)) text = pick(['Int', 'String!', '[String]', 'UUID', 'Boolean', `[${text}]`]);
  const fallback = chance(0.25) && !String(where ?? '').includes('!') ? literal(getNullableType(type), 3, false) : undefined;
  variables.set(name, { type: text, input: type, fallback });
  return `$${name}`;
}

function literal(type, depth, mayVary = true) {
  if (mayVary && chance(0.2)) return variable(type);
  if (isNonNullType(type)) return literal(type.ofType, depth, false);
  if (chance(0.04)) return 'null';
  if (chance(0.03)) return wrong();
  if (isListType(type)) {
    if (chance(0.2)) return literal(type.ofType, depth, mayVary);
    return `[${Array.from({ length: below(3) }, () => literal(type.ofType, depth - 1, mayVary)).join(', ')}]`;
  }
  if (isEnumType(type)) return pick(type.getValues()).name;
  if (isInputObjectType(type)) {
    const all = Object.values(type.getFields());
    if (type.isOneOf && chance(0.9)) {
      const field = pick(all);
      return `{ ${field.name}: ${literal(field.type, depth - 1, mayVary)} }`;
    }
    const chosen = all.filter((field) => isRequiredInputField(field) ? !chance(0.02) : depth > 0 && chance(Math.min(0.5, 2 / all.length)));
    return `{ ${chosen.map((field) => `${field.name}: ${literal(field.type, depth - 1, mayVary)}`).join(', ')} }`;
  }
  return (samples[type.name] ?? samples.String)();
}

function json(type, depth) {
  if (isNonNullType(type)) return json(type.ofType, depth);
  if (chance(0.05)) return null;
  if (chance(0.05)) return pick([1, 1.5, 'x', true, [], {}, [[1]], { a: 1 }, null, 'NEGOTIATION', 1e20, -0, '2026-11-22', 4]);
  if (isListType(type)) return chance(0.2) ? json(type.ofType, depth) : Array.from({ length: below(3) }, () => json(type.ofType, depth - 1));
  if (isEnumType(type)) return pick(type.getValues()).name;
  if (isInputObjectType(type)) {
    const all = Object.values(type.getFields());
    if (type.isOneOf && chance(0.9)) { const field = pick(all); return { [field.name]: json(field.type, depth - 1) }; }
    const chosen = all.filter((field) => isRequiredInputField(field) ? !chance(0.03) : depth > 0 && chance(Math.min(0.5, 2 / all.length)));
    return Object.fromEntries(chosen.map((field) => [field.name, json(field.type, depth - 1)]));
  }
  const text = (samples[type.name] ?? samples.String)();
  if (type.name === 'JSON') return pick([{ a: 1, b: [true, null] }, 'text', [1, 2.5], 7, {}, false]);
  return JSON.parse(text);
}

function directives() {
  if (!chance(0.12)) return '';
  const name = pick(['include', 'skip']);
  return ` @${name}(if: ${chance(0.5) ? pick(['true', 'false']) : variable(schema.getDirective('skip').args[0].type)})`;
}

function args(field) {
  const chosen = field.args.filter((arg) => isRequiredArgument(arg) ? !chance(0.02) : chance(0.25));
  if (!chosen.length) return '';
  return `(${chosen.map((arg) => `${arg.name}: ${literal(arg.type, 3)}`).join(', ')})`;
}

function selection(type, depth) {
  const out = [];
  if (isObjectType(type) || isInterfaceType(type)) {
    const all = Object.values(type.getFields());
    const leaves = all.filter((field) => isLeafType(getNamedType(field.type)) && !field.args.some(isRequiredArgument));
    for (let i = 1 + below(3); i > 0; i--) {
      const field = depth > 0 && chance(0.6) ? pick(all) : pick(leaves.length ? leaves : all);
      out.push(fieldText(field, depth));
    }
  }
  if (chance(0.15)) out.push('__typename');
  if (chance(0.12)) {
    const on = isInterfaceType(type) ? pick(schema.getPossibleTypes(type)) : chance(0.9) ? type : pick(objects);
    out.push(`...${chance(0.8) ? ` on ${on.name}` : ''}${directives()} { ${selection(chance(0.95) ? on : pick(objects), Math.min(depth, 1)).join(' ')} }`);
  }
  if (chance(0.1)) {
    const name = fresh('F');
    const on = isInterfaceType(type) ? pick(schema.getPossibleTypes(type)) : type;
    fragments.push(`fragment ${name} on ${on.name} { ${selection(on, Math.min(depth, 1)).join(' ')} }`);
    out.push(`...${name}${directives()}`);
    if (chance(0.2)) out.push(`...${name}`);
  }
  return out.length ? out : ['__typename'];
}

function fieldText(field, depth) {
  const alias = chance(0.6) ? `${fresh('a')}: ` : '';
  const named = getNamedType(field.type);
  const inner = isCompositeType(named) ? ` { ${selection(named, depth - 1).join(' ')} }` : '';
  return `${alias}${field.name}${args(field)}${directives()}${inner}`;
}

const objects = Object.values(schema.getTypeMap()).filter((type) => isObjectType(type) && !type.name.startsWith('__'));
const introspection = [
  '{ __schema { types { name kind fields { name args { name type { name ofType { name } } } } } } }',
  '{ __type(name: "Deal") { name fields { name type { name fields { name } } } } }',
  '{ __type(name: "Deal") { fields { type { fields { type { fields { type { fields { name } } } } } } } } }',
  '{ __type(name: "Deal") { inputFields { type { inputFields { type { inputFields { name } } } } } } }',
  'query($n: String!) { __type(name: $n) { ...T } } fragment T on __Type { name interfaces { ...U } } fragment U on __Type { possibleTypes { name } }',
  '{ __schema { directives { name locations args { name } } queryType { name } } __typename }',
  '{ __type(name: "DistributionInput") { isOneOf specifiedByURL } }',
];

function operation() {
  variables = new Map();
  fragments = [];
  names = 0;
  const kind = pick(['query', 'query', 'query', 'query', 'mutation', 'mutation', 'subscription']);
  if (chance(0.02)) return { query: pick(introspection), variables: { n: 'Deal' } };
  const root = schema.getRootType(kind);
  const fields = kind === 'subscription' && chance(0.95)
    ? [fieldText(pick(Object.values(root.getFields())), 2).replace(/ @(skip|include)\(if: [^)]*\)/, '')]
    : selection(root, 3);
  const transaction = kind === 'mutation' && chance(0.2) ? ' @transaction' : '';
  const body = `{ ${fields.join(' ')} }`;
  // A variable that was defined for text that fell away stays unused: that is a mistake like others.
  const all = [...variables].filter(([name]) => chance(0.99) && (body + fragments.join(' ')).includes(`$${name}`) || chance(0.01));
  const defined = all.map(([name, { type, fallback }]) => `$${name}: ${type}${fallback === undefined ? '' : ` = ${fallback}`}`);
  const name = chance(0.5) ? ` ${fresh('O')}` : '';
  const short = kind === 'query' && !name && !defined.length && chance(0.5);
  const head = short ? '' : `${kind}${name}${defined.length ? `(${defined.join(', ')})` : ''}${transaction} `;
  const given = {};
  for (const [name, { input, type }] of variables) if (type.endsWith('!') ? chance(0.97) : chance(0.7)) given[name] = json(input, 3);
  return { query: `${head}${body} ${fragments.join(' ')}`, variables: given };
}

// ---- making them wrong
const changes = {
  [Kind.FIELD]: [
    (node) => ({ ...node, name: { ...node.name, value: pick(['nothing', `${node.name.value}x`, 'id', 'name', '__typename', 'nodes', 'totalCount']) } }),
    (node) => ({ ...node, alias: { kind: Kind.NAME, value: pick(['id', 'x', 'name', '__typename']) } }),
    (node) => ({ ...node, arguments: [...(node.arguments ?? []), argument()] }),
    (node) => ({ ...node, arguments: (node.arguments ?? []).slice(1) }),
    (node) => ({ ...node, arguments: node.arguments?.length ? [...node.arguments, node.arguments[0]] : [argument()] }),
    (node) => ({ ...node, selectionSet: node.selectionSet ? undefined : set('{ id }') }),
    (node) => ({ ...node, directives: [...(node.directives ?? []), directive()] }),
    (node) => ({ ...node, selectionSet: node.selectionSet && { ...node.selectionSet, selections: [...node.selectionSet.selections, ...node.selectionSet.selections] } }),
  ],
  [Kind.ARGUMENT]: [
    (node) => ({ ...node, name: { ...node.name, value: pick(['nothing', 'first', 'filter', 'id', 'input', 'where']) } }),
    (node) => ({ ...node, value: value() }),
  ],
  [Kind.OBJECT_FIELD]: [
    (node) => ({ ...node, name: { ...node.name, value: pick(['nothing', 'eq', 'and', 'name', 'not', 'in']) } }),
    (node) => ({ ...node, value: value() }),
  ],
  [Kind.OBJECT]: [
    (node) => ({ ...node, fields: [...node.fields, ...node.fields.slice(0, 1)] }),
    (node) => ({ ...node, fields: node.fields.slice(1) }),
    (node) => ({ kind: Kind.LIST, values: [node] }),
  ],
  [Kind.LIST]: [
    (node) => ({ ...node, values: [...node.values, value()] }),
    (node) => ({ kind: Kind.LIST, values: [node] }),
    (node) => node.values[0] ?? value(),
  ],
  [Kind.INT]: [value, (node) => ({ kind: Kind.STRING, value: node.value })],
  [Kind.STRING]: [value, (node) => (/^[A-Za-z_]\w*$/.test(node.value) ? { kind: Kind.ENUM, value: node.value } : value())],
  [Kind.ENUM]: [value, (node) => ({ kind: Kind.STRING, value: node.value }), (node) => ({ ...node, value: node.value.toLowerCase() })],
  [Kind.BOOLEAN]: [value],
  [Kind.NULL]: [value],
  [Kind.VARIABLE]: [(node) => ({ ...node, name: { ...node.name, value: pick(['v0', 'v1', 'unknown']) } })],
  [Kind.VARIABLE_DEFINITION]: [
    () => null,
    (node) => ({ ...node, type: type() }),
    (node) => ({ ...node, defaultValue: value() }),
    (node) => ({ ...node, directives: [directive()] }),
    (node) => ({ ...node, variable: { ...node.variable, name: { kind: Kind.NAME, value: 'v0' } } }),
  ],
  [Kind.FRAGMENT_SPREAD]: [
    (node) => ({ ...node, name: { ...node.name, value: pick(['F0', 'F1', 'F2', 'Nothing']) } }),
    (node) => ({ ...node, directives: [directive()] }),
  ],
  [Kind.INLINE_FRAGMENT]: [
    (node) => ({ ...node, typeCondition: condition() }),
    (node) => ({ ...node, directives: [directive(), directive()] }),
  ],
  [Kind.FRAGMENT_DEFINITION]: [
    () => null,
    (node) => ({ ...node, typeCondition: condition() }),
    (node) => ({ ...node, name: { ...node.name, value: 'F0' } }),
    (node) => ({ ...node, directives: [directive()] }),
    (node) => ({ ...node, selectionSet: { ...node.selectionSet, selections: [...node.selectionSet.selections, { kind: Kind.FRAGMENT_SPREAD, name: node.name }] } }),
  ],
  [Kind.OPERATION_DEFINITION]: [
    (node) => ({ ...node, operation: pick(['query', 'mutation', 'subscription']) }),
    (node) => ({ ...node, directives: [...(node.directives ?? []), directive()] }),
    (node) => ({ ...node, name: node.name ? undefined : { kind: Kind.NAME, value: 'Named' } }),
    (node) => ({ ...node, variableDefinitions: [...(node.variableDefinitions ?? []), ...(node.variableDefinitions ?? []).slice(0, 1)] }),
  ],
};
const set = (text) => parse(text).definitions[0].selectionSet;
const argument = () => ({ kind: Kind.ARGUMENT, name: { kind: Kind.NAME, value: pick(['first', 'nothing', 'filter', 'id']) }, value: value() });
function value() {
  const text = chance(0.1) ? '$v0' : wrong();
  return parse(`{ a(b: ${text}) }`).definitions[0].selectionSet.selections[0].arguments[0].value;
}
const type = () => parse(`query($a: ${pick(['Int', 'String', 'UUID!', '[Int!]', 'Nothing', 'Deal', 'DealFilter', '[[String]]', 'Boolean!', 'JSON', 'DealStage'])}) { a }`).definitions[0].variableDefinitions[0].type;
const directive = () => parse(`{ a @${pick(['include(if: true)', 'skip(if: false)', 'skip', 'nothing', 'transaction', 'deprecated', 'include(if: 1)', 'include(if: true, if: true)', 'oneOf', 'specifiedBy(url: "x")'])} }`).definitions[0].selectionSet.selections[0].directives[0];
const condition = () => ({ kind: Kind.NAMED_TYPE, name: { kind: Kind.NAME, value: chance(0.2) ? pick(['Nothing', 'DealFilter', 'DealStage', 'Node', 'UUID']) : pick(objects).name } });

function changeDocument(document) {
  const nodes = [];
  visit(document, { enter: (node) => { if (changes[node.kind]) nodes.push(node); } });
  const target = pick(nodes);
  const change = pick(changes[target.kind]);
  let done = false;
  return visit(document, {
    enter: (node) => {
      if (done || node !== target) return undefined;
      done = true;
      const changed = change(node);
      return changed === node ? undefined : changed;
    },
  });
}

function changeText(text) {
  const at = below(text.length);
  switch (below(9)) {
    case 0: return text.slice(0, at) + text.slice(at + 1);
    case 1: return text.slice(0, at) + pick(['{', '}', '(', ')', '[', ']', ':', '!', '$', '@', '"', '|', '&', '=', '...', ',', '#', '\\', ' ', '\t', '0', '1', '.', '-', 'e', 'é', '\u0000', '\ufeff', '"""', '\n', '\r']) + text.slice(at);
    case 2: return text.replace(/"[^"\\]*"/, pick(['"\\u00e9"', '"\\ud83d\\ude00"', '"\\u{1f600}"', '"\\x"', '"""a\\"""b"""', '"""\n  a\n   b\n"""', '"\\ud800"', '"\\u{110000}"', '"a\nb"', '"\t"', '""', '""""""', '"\\u{0}"', '"\\ude00"', '"\\u{d83d}\\u{de00}"', '"\\ud83d\\u{de00}"']));
    case 3: return text.replace(/\b\d+\b/, pick(['01', '1.', '.5', '1e', '1e+', '-', '0x1', '1a', '1_0', '00', '-01', '1.5.5', '1e5', '-0', '0.0', '+1', '1E-3', '1.e5']));
    case 4: return text + pick([' { id }', ' query A { health { database } }', ' fragment F0 on Deal { id }', ' type A { b: Int }', ' #', ' "text"', ' fragment on on Deal { id }', ' fragment Unused on Deal { id }', ' query O0 { __typename } query O0 { __typename }', ' subscription { events { kind } }']);
    case 5: return text.replace('{', pick(['{ ', '{ ...', '{ ... @include(if: true) { __typename } ', '{ a: ', '{ a: a: ', '{ null ', '{ on ', '{ true: __typename ']));
    case 6: return text.slice(0, at);
    case 7: return pick(['"What for" ', '"""\nWhat\n  for\n"""\n', '"a" "b" ']) + text.replace(/\(\$/, pick(['("v" $', '($']));
    default: return text.replace(/\((.*?)\)/, pick(['()', '( )', '(,)', '($1,)', '($1 $1)', '(: 1)']));
  }
}

function changeVariables(given) {
  const copy = structuredClone(given);
  const holders = [];
  (function walk(node) {
    if (node && typeof node === 'object') { if (Object.keys(node).length) holders.push(node); Object.values(node).forEach(walk); }
  })(copy);
  if (!holders.length) return { ...copy, v0: pick([1, 'x', null, {}, []]) };
  const holder = pick(holders);
  const key = pick(Object.keys(holder));
  switch (below(5)) {
    case 0: if (Array.isArray(holder)) holder.push(null); else delete holder[key]; break;
    case 1: holder[key] = null; break;
    case 2: holder[key] = pick([1, 1.5, 'x', true, [], {}, { eq: 1 }, '', -1, 1e10, 'ASC', '1']); break;
    case 3: if (!Array.isArray(holder)) holder[pick(['nothing', 'eq', 'and', '__proto'])] = 1; break;
    default: holder[key] = [holder[key]];
  }
  return copy;
}

function judge({ query, operationName, variables }) {
  let document;
  try {
    document = parse(query);
  } catch (error) {
    return { verdict: 'syntax', message: error.message };
  }
  let errors;
  try {
    errors = validate(schema, document, rules);
  } catch (error) {
    // SingleFieldSubscriptions throws where a condition has no value: since September 2025 conditions there are refused.
    return { verdict: 'validation', message: error.message };
  }
  if (errors.length) return { verdict: 'validation', message: errors[0].message };
  // The one known difference: graphql-js 16 has not yet what the specification of September 2025 adds to single root fields.
  const conditional = conditionalSubscription(document);
  if (conditional) return { verdict: 'validation', message: conditional };
  const operations = document.definitions.filter((definition) => definition.kind === Kind.OPERATION_DEFINITION);
  const found = operationName === undefined ? operations : operations.filter((one) => one.name?.value === operationName);
  if (found.length !== 1) return { verdict: 'operation', message: 'no such operation' };
  const { coerced, errors: refused } = getVariableValues(schema, found[0].variableDefinitions ?? [], variables, { maxErrors: 5 });
  if (refused) return { verdict: 'variables', message: refused[0].message };
  return { verdict: 'accepted', coerced };
}

/** "@skip and @include must not be used on the root selections of a subscription" (5.2.4.1), fragments opened. */
function conditionalSubscription(document) {
  const known = Object.fromEntries(document.definitions.filter((one) => one.kind === Kind.FRAGMENT_DEFINITION).map((one) => [one.name.value, one]));
  const isConditional = (set) => set.selections.some((one) => one.directives?.some(({ name }) => ['skip', 'include'].includes(name.value))
    || (one.kind === Kind.INLINE_FRAGMENT && isConditional(one.selectionSet))
    || (one.kind === Kind.FRAGMENT_SPREAD && isConditional(known[one.name.value].selectionSet)));
  const found = document.definitions.some((one) => one.operation === 'subscription' && isConditional(one.selectionSet));
  return found && 'conditions at the root of a subscription';
}

const rules = [...new Set([...specifiedRules, ...recommendedRules])];

for (let i = 0; i < Number(count); i++) {
  const made = operation();
  if (chance(0.65)) {
    const how = random();
    if (how < 0.6) {
      try {
        let document = parse(made.query, { noLocation: true });
        document = changeDocument(document);
        if (chance(0.3)) document = changeDocument(document);
        made.query = print(document);
      } catch { /* a change that cannot be printed is none */ }
    } else if (how < 0.85) made.query = changeText(made.query);
    else made.variables = changeVariables(made.variables);
  }
  if (chance(0.03)) made.operationName = pick(['O0', 'Named', 'Nothing']);
  // Text that was cut amid a surrogate pair is no text, and never reaches a server as JSON.
  made.query = made.query.toWellFormed();
  process.stdout.write(`${JSON.stringify({ ...made, ...judge(made) })}\n`);
}
