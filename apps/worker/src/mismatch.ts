import { ArcError } from '@arc/kernel';

/** Says that what a destination holds is not what was delivered. */
export function mismatch(problem: string): ArcError {
  return new ArcError('Mismatch', `destination: verify: ${problem}`, {
    hint: 'Something else wrote to the destination, or removed from it: run the order again.',
  });
}
