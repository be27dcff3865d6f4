/** Finds every rule of a Valibot schema, the places of a valid value where it can be broken, and breaks it there alone. */
import * as v from 'valibot';

interface Action {
  readonly kind: string;
  readonly type: string;
  readonly requirement?: unknown;
}

type Schema = v.GenericSchema & {
  readonly pipe?: readonly [v.GenericSchema, ...Action[]];
  readonly entries?: Readonly<Record<string, Schema>>;
  readonly item?: Schema;
  readonly items?: readonly Schema[];
  /** Of a record the keys' schema, of a variant the field that tells its options apart. */
  readonly key?: Schema | string;
  readonly value?: Schema;
  readonly wrapped?: Schema;
  readonly options?: readonly Schema[];
};

/** One place where one rule can be broken. */
export interface Break {
  /** The rule and where it stands in the schema, the same for all places that it governs. */
  readonly rule: string;
  /** Keys from the root of the value. */
  readonly path: readonly (string | number)[];
  /** What stands there instead; `undefined`: nothing. */
  readonly value: unknown;
}

type Path = readonly (string | number)[];

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The checks of a pipe: what comes behind its schema, and isn't there for people. */
function actionsOf({ pipe }: Schema): Action[] {
  const [, ...actions] = pipe ?? [undefined];
  return actions.filter(({ kind }) => kind !== 'metadata');
}

/** A value that one action of a pipe refuses, and nothing else does; undefined where the value at hand has nothing to make it of. */
function broken({ kind, type, requirement }: Action, value: unknown): { with: unknown } | undefined {
  const limit = Number(requirement);
  switch (type) {
    case 'integer':
      return { with: Number(value) + 0.5 };
    case 'min_value':
      return { with: limit - 1 };
    case 'gt_value':
      return { with: limit };
    case 'max_value':
      return { with: limit + 2 };
    case 'min_length':
      return { with: typeof value === 'string' ? '' : [] };
    case 'max_length':
      if (typeof value === 'string') return { with: 'a'.repeat(limit + 1) };
      return Array.isArray(value) && value.length > 0 ? { with: Array(limit + 1).fill(value[0]) } : undefined;
    case 'max_entries': {
      const [first] = Object.values(isObject(value) ? value : {});
      if (first === undefined) return undefined;
      return { with: Object.fromEntries(Array.from({ length: limit + 1 }, (_, i) => [`n${i}`, first])) };
    }
    case 'regex':
      return { with: `${String(value)}\n` };
    default:
      throw new Error(`No way is known to break the ${kind} ${type}`);
  }
}

/** The part of a schema that stands below it at a key, and how it is called. */
function* below(schema: Schema, at: string): Generator<readonly [at: string, inner: Schema]> {
  if (schema.wrapped) yield [at, schema.wrapped];
  for (const [key, entry] of Object.entries(schema.entries ?? {})) yield [`${at}.${key}`, entry];
  if (schema.item) yield [`${at}[]`, schema.item];
  for (const [i, item] of (schema.items ?? []).entries()) yield [`${at}[${i}]`, item];
  if (schema.value) yield [`${at}{}`, schema.value];
  if (schema.type === 'variant') {
    for (const option of schema.options ?? []) yield [`${at}<${kindOf(option, fieldOf(schema))}>`, option];
  }
}

/** The field that tells a variant's options apart. */
function fieldOf({ key }: Schema): string {
  return typeof key === 'string' ? key : '';
}

/** Which kind of a variant this option is. */
function kindOf(option: Schema, field: string): string {
  const literal = option.entries?.[field];
  return literal !== undefined && 'literal' in literal ? String(literal.literal) : '';
}

/** The rules of a schema itself, not of what stands below it. */
function ownRules(schema: Schema, at: string): string[] {
  const rules = actionsOf(schema).map(({ type }) => `${at} ${type}`);
  switch (schema.type) {
    case 'optional':
      return rules;
    case 'strict_object': {
      const required = Object.entries(schema.entries ?? {}).filter(([, entry]) => entry.type !== 'optional');
      return [...rules, `${at} object`, `${at} unknown key`, ...required.map(([key]) => `${at}.${key} required`)];
    }
    case 'strict_tuple':
      return [...rules, `${at} ${schema.type}`, `${at} length`];
    case 'record':
      return [...rules, `${at} record`, `${at} key`];
    case 'union':
      return [
        ...rules,
        `${at} union`,
        ...(schema.options ?? []).flatMap((option) =>
          actionsOf(option).map(({ type }) => `${at}|${option.type} ${type}`),
        ),
      ];
    case 'array':
    case 'variant':
    case 'number':
    case 'string':
    case 'literal':
    case 'picklist':
      return [...rules, `${at} ${schema.type}`];
    default:
      throw new Error(`No way is known to break the schema ${schema.type}`);
  }
}

/** Every rule of a schema, by the name that it has in a {@link Break}. */
export function rulesOf(schema: v.GenericSchema, at = '$'): string[] {
  const inner = [...below(schema as Schema, at)].flatMap(([where, part]) => rulesOf(part, where));
  return [...ownRules(schema as Schema, at), ...inner];
}

function* walk(schema: Schema, value: unknown, path: Path, at: string): Generator<Break> {
  const make = (rule: string, wrong: unknown, where: Path = path): Break => ({
    rule: `${at} ${rule}`,
    path: where,
    value: wrong,
  });
  for (const action of actionsOf(schema)) {
    const wrong = broken(action, value);
    if (wrong !== undefined) yield make(action.type, wrong.with);
  }
  switch (schema.type) {
    case 'optional':
      if (value !== undefined && schema.wrapped) yield* walk(schema.wrapped, value, path, at);
      return;
    case 'strict_object':
      yield make('object', 7);
      yield make('unknown key', 1, [...path, 'surplus']);
      for (const [key, entry] of Object.entries(schema.entries ?? {})) {
        const inner = isObject(value) ? value[key] : undefined;
        if (entry.type !== 'optional') yield { rule: `${at}.${key} required`, path: [...path, key], value: undefined };
        if (inner !== undefined) yield* walk(entry, inner, [...path, key], `${at}.${key}`);
      }
      return;
    case 'array':
    case 'strict_tuple':
      yield make(schema.type, 'text');
      if (schema.type === 'strict_tuple' && Array.isArray(value)) yield make('length', [...value, value[0]]);
      for (const [i, item] of (Array.isArray(value) ? value : []).entries()) {
        const inner = schema.item ?? schema.items?.[i];
        if (inner) yield* walk(inner, item, [...path, i], schema.item ? `${at}[]` : `${at}[${i}]`);
      }
      return;
    case 'record':
      yield make('record', 7);
      for (const [key, item] of Object.entries(isObject(value) ? value : {})) {
        yield { rule: `${at} key`, path: [...path, `${key}\n`], value: item };
        if (schema.value) yield* walk(schema.value, item, [...path, key], `${at}{}`);
      }
      return;
    case 'variant': {
      const field = fieldOf(schema);
      const kind = isObject(value) ? value[field] : undefined;
      yield make('variant', { ...(isObject(value) ? value : {}), [field]: 'none' });
      const fits = schema.options?.find((option) => kindOf(option, field) === kind);
      if (fits !== undefined) yield* walk(fits, value, path, `${at}<${String(kind)}>`);
      return;
    }
    case 'union': {
      yield make('union', true);
      // A value of another option's type would be right, so that only what the checks of its own refuse is wrong.
      const fits = schema.options?.find((option) => v.is(option, value));
      for (const action of fits === undefined ? [] : actionsOf(fits)) {
        const wrong = broken(action, value);
        if (wrong !== undefined) yield { rule: `${at}|${fits?.type} ${action.type}`, path, value: wrong.with };
      }
      return;
    }
    default:
      // Leaves: a number, a string, a literal, one of a list.
      yield make(schema.type, schema.type === 'number' ? 'text' : schema.type === 'string' ? 7 : true);
  }
}

/** Every way to break one rule of the schema at one place of the value. */
export function breaksOf(schema: v.GenericSchema, value: unknown): Break[] {
  return [...walk(schema as Schema, value, [], '$')];
}

/** A copy of a value, broken. */
export function breakAt(value: unknown, { path, value: wrong }: Break): unknown {
  if (path.length === 0) return wrong;
  const copy: unknown = structuredClone(value);
  let at = copy as Record<string | number, unknown>;
  for (const key of path.slice(0, -1)) at = at[key] as Record<string | number, unknown>;
  const last = path.at(-1) ?? '';
  if (wrong === undefined) delete at[last];
  else at[last] = wrong;
  return copy;
}
