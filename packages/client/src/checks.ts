import { OwletError } from '@owlet/protocol';

/**
 * The name that an object gives of itself, the same in every window: `instanceof` knows this window's classes alone.
 *
 * @internal
 */
export function tagOf(value: unknown): string {
  return Object.prototype.toString.call(value).slice(8, -1);
}

/**
 * A value as messages show it.
 *
 * @internal
 */
export function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 100 ? `${value.slice(0, 100)}…` : value);
  if (typeof value === 'object' && value !== null) return tagOf(value);
  return typeof value === 'function' ? 'a function' : String(value);
}

/**
 * The error of an argument that can't be.
 *
 * @param path - where it stands, for example `options.threads`
 * @param allowed - what may stand there, after "allowed:"
 * @internal
 */
export function invalidArgument(path: string, value: unknown, allowed: string, cause?: unknown): OwletError {
  return new OwletError('INVALID_ARGUMENT', {
    message: `${path} is ${shown(value)}; allowed: ${allowed}.`,
    stage: 'client',
    object: path,
    remedy: `Change ${path} to one of what is allowed.`,
    cause,
  });
}

/**
 * What may stand in an option: undefined where the value may, else what may, after "allowed:".
 *
 * @internal
 */
export type Check = (value: unknown, path: string) => string | undefined;

/**
 * A check for every option.
 *
 * @internal
 */
export type Checks<Options> = Readonly<Record<keyof Options, Check>>;

/**
 * Takes functions only.
 *
 * @internal
 */
export const isFunction: Check = (value) => (typeof value === 'function' ? undefined : 'a function');
/**
 * Takes an AbortSignal only.
 *
 * @internal
 */
export const isSignal: Check = (value) => (value instanceof AbortSignal ? undefined : 'an AbortSignal');
/**
 * Takes true and false only.
 *
 * @internal
 */
export const isFlag: Check = (value) => (typeof value === 'boolean' ? undefined : 'true or false');
/**
 * Takes texts that are not empty only.
 *
 * @internal
 */
export const isName: Check = (value) => (typeof value === 'string' && value !== '' ? undefined : 'a name');

/**
 * Takes whole numbers only, both ends included.
 *
 * @internal
 */
export function isWhole(min: number, max: number, unit: string): Check {
  const allowed = `a whole number of ${unit}, ${min} to ${max}`;
  return (value) => (Number.isInteger(value) && Number(value) >= min && Number(value) <= max ? undefined : allowed);
}

/**
 * Takes numbers only, both ends included, or of an open range all but the lower.
 *
 * @param what - such as "a number of seconds"
 * @internal
 */
export function isBetween(min: number, max: number, what: string, isOpen = false): Check {
  const ends = max === Number.MAX_VALUE ? `from ${min} on` : `${isOpen ? 'above ' : ''}${min} to ${max}`;
  return (value) => {
    const fits = typeof value === 'number' && value <= max && (isOpen ? value > min : value >= min);
    return fits ? undefined : `${what}, ${ends}`;
  };
}

/**
 * Checks options. Types say all this at compile time; callers without types, and values from outside, are told here.
 *
 * @param path - where they stand
 * @throws OwletError `INVALID_ARGUMENT`
 * @internal
 */
export function checkOptions(options: unknown, checks: Readonly<Record<string, Check>>, path = 'options'): void {
  if (typeof options !== 'object' || options === null) throw invalidArgument(path, options, 'an object');
  for (const [key, value] of Object.entries(options)) {
    const at = `${path}.${key}`;
    const check = Object.hasOwn(checks, key) ? checks[key] : undefined;
    if (check === undefined) throw invalidArgument(at, value, `only the options ${Object.keys(checks).join(', ')}`);
    const allowed = value === undefined ? undefined : check(value, at);
    if (allowed !== undefined) throw invalidArgument(at, value, allowed);
  }
}
