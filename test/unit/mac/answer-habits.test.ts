import { describe, expect, it } from 'vitest';
import { AnswerHabits } from '../../../src/mac/answer-habits.js';

describe('answer habits', () => {
  it('leaves room for an answer until four in a row have stayed without one', () => {
    const habits = new AnswerHabits();
    const slots = Array.from({ length: 6 }, () => habits.asked(2));
    expect(slots).toEqual([4, 4, 4, 4, 0, 0]);
    expect(habits.expected(2)).toBe(false);
    expect(habits.expected(3)).toBe(true);
  });

  it('believes in a station again once it has been heard, and tries the silent ones now and then', () => {
    const habits = new AnswerHabits();
    for (let i = 0; i < 5; i++) habits.asked(2);
    habits.heard(2);
    expect(habits.expected(2)).toBe(true);
    const slots = Array.from({ length: 32 }, () => habits.asked(2));
    expect(slots.flatMap((count, index) => (count > 0 ? [index] : []))).toEqual([0, 1, 2, 3, 16]);
  });
});
