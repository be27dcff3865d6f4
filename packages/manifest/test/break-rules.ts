/** Finds every rule of a Valibot schema at every place of a valid value, and breaks one of them there. */
import type * as v from 'valibot';

type Schema = v.GenericSchema & {
  readonly pipe?: readonly (
    | v.GenericSchema
    | { readonly kind: string; readonly type: string; readonly requirement?: unknown }
  )[];
  readonly entries?: Readonly<Record<string, Schema>>;
  readonly item?: Schema;
  readonly items?: readonly Schema[];
  readonly key?: Schema;
  readonly value?: Schema;
  readonly wrapped?: Schema;
  readonly options?: readonly (Schema | string)[];
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

/** A value that one action of a pipe refuses, and nothing else does. */
function broken(
  action: { readonly type: string; readonly requirement?: unknown },
  value: unknown,
): { with: unknown } | undefined {
  const limit = Number(action.requirement);
  switch (action.type) {
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
      return { with: Object.fromEntries(Array.from({ length: limit + 1 }, (_, i) => [`n${i}`, first])) };
    }
    case 'regex':
      return { with: `${String(value)}\n` };
    default:
      return undefined;
  }
}

function* walk(schema: Schema, value: unknown, path: Path, at: string): Generator<Break> {
  const make = (rule: string, wrong: unknown, where: Path = path): Break => ({
    rule: `${at} ${rule}`,
    path: where,
    value: wrong,
  });
  for (const action of schema.pipe?.slice(1) ?? []) {
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
        if (inner) yield* walk(inner, item, [...path, i], `${at}[]`);
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
      const kind = isObject(value) ? value['kind'] : undefined;
      yield make('variant', { ...(isObject(value) ? value : {}), kind: 'none' });
      const fits = schema.options?.find((option) => {
        const literal = typeof option === 'string' ? undefined : option.entries?.['kind'];
        return literal !== undefined && 'literal' in literal && literal.literal === kind;
      });
      if (typeof fits === 'object') yield* walk(fits, value, path, `${at}<${String(kind)}>`);
      return;
    }
    default:
      // Leaves: a number, a string, a literal, one of a list, one of several types.
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
