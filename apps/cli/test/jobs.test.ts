import { describe, expect, test } from 'vitest';
import { type Job, keyOf, listJobs, undone } from '../src/jobs.ts';

const text = (of: string): Job => ({ subject: { text: of }, request: { task: 'embed-text', text: of } });
const ask = (media: string, question: string): Job => ({
  subject: { media, question },
  request: { task: 'answer', question, beams: 1 },
});

describe('the jobs', () => {
  test('of captions and classes are the files', () => {
    expect(listJobs('caption', 3, ['a', 'b'], [])).toEqual([
      { subject: { media: 'a' }, request: { task: 'caption', beams: 3 } },
      { subject: { media: 'b' }, request: { task: 'caption', beams: 3 } },
    ]);
    expect(listJobs('classify', 1, ['a'], [])).toEqual([{ subject: { media: 'a' }, request: { task: 'classify' } }]);
  });

  test('of places are the files, then the texts', () => {
    expect(listJobs('embed', 1, ['a'], [text('x')])).toEqual([
      { subject: { media: 'a' }, request: { task: 'embed' } },
      text('x'),
    ]);
  });

  test('of questions are the questions', () => {
    expect(listJobs('answer', 1, ['a', 'b'], [ask('b', 'x')])).toEqual([ask('b', 'x')]);
  });
});

test('what has its line is done, of the same question the first ones', () => {
  const jobs = [ask('a', 'x'), ask('b', 'x'), ask('a', 'x'), ask('a', 'y'), ask('a', 'x')];
  const key = keyOf('answer', { media: 'a', question: 'x' }) ?? '';
  const rest = undone('answer', jobs, new Map([[key, 2]]));
  expect(rest).toEqual([ask('b', 'x'), ask('a', 'y'), ask('a', 'x')]);
  expect(rest[2]).toBe(jobs[4]);
});

test('keys tell apart what is about different things', () => {
  expect(keyOf('answer', { media: 'a', question: 'b' })).not.toBe(keyOf('answer', { media: 'b', question: 'a' }));
  expect(keyOf('embed', { media: 'a' })).not.toBe(keyOf('embed', { text: 'a' }));
  // The text of a caption is what was found.
  expect(keyOf('caption', { media: 'a', text: 'x' })).toBe(keyOf('caption', { media: 'a' }));
  expect(keyOf('answer', { media: 'a' })).toBeUndefined();
  expect(keyOf('embed', { media: 'a', text: 'b' })).toBeUndefined();
  expect(keyOf('embed', {})).toBeUndefined();
  expect(keyOf('caption', { media: 5 })).toBeUndefined();
});
