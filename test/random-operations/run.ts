import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { simulate } from './support/simulation.ts';

// Random operations on a server and controllers that are killed now and then; see CONTRIBUTING.md.

const { values: given } = parseArgs({
  options: {
    steps: { type: 'string', default: '2000' },
    seed: { type: 'string', default: String(randomInt(2 ** 31)) },
    verbose: { type: 'boolean', default: false },
  },
});
const [steps, seed] = [Number(given.steps), Number(given.seed)];
const say = (line: string): void => void process.stdout.write(`${line}\n`);

say(`${steps} steps, --seed ${seed}`);
const began = performance.now();
const { complaints, journal, story, summary } = await simulate({ steps, seed, ...(given.verbose && { say }) });
say(`${summary} in ${((performance.now() - began) / 1000).toFixed(0)} s`);
if (complaints.length > 0) {
  if (!given.verbose) for (const line of journal.slice(-60)) say(line);
  for (const line of story.slice(-200)) say(line);
  for (const line of complaints.slice(0, 20)) say(line);
  process.exitCode = 1;
}
say(`${complaints.length} complaints, --seed ${seed}`);
