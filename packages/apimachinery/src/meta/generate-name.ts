/** Consonants and digits that cannot form words or be mistaken for each other (wire contract 3.1). */
const alphabet = 'bcdfghjklmnpqrstvwxz2456789';
const suffixLength = 5;
const maxBaseLength = 63 - suffixLength;

/** How often a server tries another name when a generated one is taken. */
export const generateNameAttempts = 8;

/**
 * Makes a name from `generateName`: its first 58 characters and 5 random ones.
 *
 * @param randomInt returns an integer in `[0, bound)`.
 */
export function generateName(base: string, randomInt: (bound: number) => number): string {
  let name = base.slice(0, maxBaseLength);
  for (let index = 0; index < suffixLength; index++) name += alphabet.charAt(randomInt(alphabet.length));
  return name;
}
