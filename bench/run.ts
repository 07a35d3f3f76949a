import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { benchApplies } from './applies.ts';
import { benchCreates } from './creates.ts';
import { benchList } from './list.ts';

const { values } = parseArgs({ options: { size: { type: 'string', default: 'small' } } });
if (values.size !== 'small' && values.size !== 'full') {
  process.stderr.write('usage: npm run bench -- --size small|full\n');
  process.exit(2);
}
const small = values.size === 'small';
process.stdout.write(`Node ${process.versions.node}, ${availableParallelism()} cores; median (min .. max)\n`);
for (const bench of [
  () => benchList({ objects: small ? 1000 : 10_000, rounds: small ? 10 : 40 }),
  () => benchCreates({ creates: small ? 2000 : 10_000, rounds: small ? 3 : 7 }),
  () => benchApplies({ objects: small ? 1000 : 5000, rounds: small ? 3 : 7 }),
]) {
  process.stdout.write(`\n${(await bench()).join('\n')}\n`);
}
