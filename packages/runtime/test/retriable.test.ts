import { expect, test } from 'vitest';
import { retriable } from '../src/retriable.ts';

test('work is begun once for all who ask, and again after a failure only', async () => {
  let begun = 0;
  const ask = retriable(async () => {
    begun += 1;
    await new Promise((resolve) => setTimeout(resolve, 5));
    if (begun < 3) throw new Error(`failure ${begun}`);
    return begun;
  });
  const both = [ask(), ask()];
  await expect(both[0]).rejects.toThrow('failure 1');
  await expect(both[1]).rejects.toThrow('failure 1');
  expect(begun).toBe(1);
  await expect(ask()).rejects.toThrow('failure 2');
  expect(await Promise.all([ask(), ask()])).toEqual([3, 3]);
  expect(await ask()).toBe(3);
  expect(begun).toBe(3);
});

test('a failure that nobody waits for is nobody’s uncaught error', async () => {
  let uncaught = 0;
  const count = () => {
    uncaught += 1;
  };
  process.on('unhandledRejection', count);
  void retriable(() => Promise.reject(new Error('lost')))();
  await new Promise((resolve) => setTimeout(resolve, 20));
  process.off('unhandledRejection', count);
  expect(uncaught).toBe(0);
});
