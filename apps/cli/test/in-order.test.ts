import { expect, test } from 'vitest';
import { InOrder } from '../src/in-order.ts';

test('what comes in any order is passed on in order, as soon as it can be', () => {
  const passed: string[] = [];
  const items = new InOrder<string>((item) => passed.push(item));
  const counts = ['c', 'a', 'b', 'e', 'd'].map((item) => {
    items.put('abcde'.indexOf(item), item);
    return passed.length;
  });
  expect(passed).toEqual(['a', 'b', 'c', 'd', 'e']);
  expect(counts).toEqual([0, 1, 3, 3, 5]);
});
